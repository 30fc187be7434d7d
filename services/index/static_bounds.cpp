#include "index/static_bounds.h"

#include <algorithm>

#include "domain/fixed_point.h"
#include "ranking/weights.h"

namespace warmline::index {
namespace {

constexpr int kByteShift = 12;  // 2^20 in 256 steps

std::uint32_t Byte(std::uint32_t part) { return std::min<std::uint32_t>(255, part >> kByteShift); }

}  // namespace

StaticBounds MakeStaticBounds(const Segment& segment, const EpochParts& parts) {
  StaticBounds bounds(segment.size());
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    const auto involvement = static_cast<domain::Involvement>(segment.document(doc).involvement);
    bounds[doc] = Byte(parts[doc].helpfulness) | Byte(parts[doc].responsiveness) << 8 |
                  Byte(ranking::InvolvementValue(involvement)) << 16 | Byte(parts[doc].novelty) << 24;
  }
  return bounds;
}

ScoreBound::ScoreBound(const domain::Weights& weights, std::uint64_t total_interest_weight)
    : helpfulness_(weights[1]), responsiveness_(weights[2]), involvement_(weights[3]), novelty_(weights[6]) {
  per_sum_ = total_interest_weight == 0
                 ? 0.0
                 : static_cast<double>(weights[0]) / (255.0 * static_cast<double>(total_interest_weight));
  // floor(w * part / 2^20) <= w * (b + 1) / 2^8 of each byte; two units for the roundings of the two sums.
  fixed_ = weights[4] + ((helpfulness_ + responsiveness_ + involvement_ + novelty_) >> 8) + 2;
}

}  // namespace warmline::index
