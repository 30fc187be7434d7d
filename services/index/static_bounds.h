// What a document's parts can add to a score at most, without reading them: four bytes a document, beside each other.
// Pure; thread-safe. The bounds hold for any weights, so urgency and policies keep them valid.
#pragma once

#include <cstdint>
#include <vector>

#include "domain/pool.h"
#include "index/segment.h"

namespace warmline::index {

// Of each document, helpfulness, responsiveness, involvement and novelty as bytes b: the part is at most (b + 1) *
// 2^12.
using StaticBounds = std::vector<std::uint32_t>;

[[nodiscard]] StaticBounds MakeStaticBounds(const Segment& segment, const EpochParts& parts);

// Weighs the bounds of one query: an upper bound of the score of a document that is not near the seeker (its closeness
// is 0).
class ScoreBound {
 public:
  ScoreBound(const domain::Weights& weights, std::uint64_t total_interest_weight);

  // `sum` as InterestScan gives it.
  [[nodiscard]] std::uint32_t Of(std::uint64_t sum, std::uint32_t packed) const {
    const std::uint32_t parts = (packed & 0xff) * helpfulness_ + ((packed >> 8) & 0xff) * responsiveness_ +
                                ((packed >> 16) & 0xff) * involvement_ + (packed >> 24) * novelty_;
    // A double holds 53 bits and the sum 47: one unit covers what its rounding loses.
    return static_cast<std::uint32_t>(static_cast<double>(sum) * per_sum_) + (parts >> 8) + fixed_;
  }

 private:
  std::uint32_t helpfulness_;
  std::uint32_t responsiveness_;
  std::uint32_t involvement_;
  std::uint32_t novelty_;
  double per_sum_;       // score units a unit of the sum
  std::uint32_t fixed_;  // availability at its most, the +1 of each byte, and the roundings
};

}  // namespace warmline::index
