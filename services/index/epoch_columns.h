// What a segment's documents are worth at one epoch under one policy: their time-decayed parts, and bounds of
// everything in a score that does not depend on the need. Immutable; shared by views.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "domain/pool.h"
#include "index/segment.h"
#include "network/member_table.h"
#include "ranking/evidence.h"

namespace warmline::index {

// The sum of the contributions of helpfulness, responsiveness, involvement, availability and, at most, exploration.
[[nodiscard]] std::uint32_t StaticScoreOf(const domain::Weights& weights, const RowView& row,
                                          const ranking::EvidenceParts& parts, const domain::Load& load);

class EpochColumns {
 public:
  // An urgency shifts the weights, so each kind of shift has bounds of its own: they are sums under the very weights of
  // the query, not sums of maxima, and so stay tight.
  static constexpr int kShifts = 3;
  [[nodiscard]] static int ShiftOf(domain::Urgency urgency);

  EpochColumns(const Segment& segment, const domain::Policy& policy, std::int64_t epoch_hour,
               const network::MemberTable& members);

  [[nodiscard]] ranking::EvidenceParts parts(std::uint32_t doc) const {
    const std::uint64_t packed = parts_[doc];
    return {static_cast<std::uint32_t>(packed & kPartMask), static_cast<std::uint32_t>(packed >> 21 & kPartMask),
            static_cast<std::uint32_t>(packed >> 42)};
  }

  void Prefetch(std::uint32_t doc) const { __builtin_prefetch(&parts_[doc]); }

  // Upper bounds of StaticScoreOf: of single documents, of blocks, and of a block and all that follow it.
  struct Bounds {
    std::vector<std::uint8_t> document;
    std::vector<std::uint32_t> block;
    std::vector<std::uint32_t> rest;

    [[nodiscard]] std::uint32_t Of(std::uint32_t doc) const {
      return (std::uint32_t{document[doc]} + 1) << kDocumentShift;
    }
  };
  [[nodiscard]] const Bounds& bounds(int shift) const { return bounds_[static_cast<std::size_t>(shift)]; }
  void PrefetchBound(int shift, std::uint32_t doc) const { __builtin_prefetch(&bounds(shift).document[doc]); }
  [[nodiscard]] std::size_t bytes() const;

 private:
  static constexpr std::uint64_t kPartMask = (1U << 21) - 1;  // a part is at most 2^20
  static constexpr int kDocumentShift = 12;                   // 2^20 in 256 steps

  std::vector<std::uint64_t> parts_;  // three times 21 bits
  std::array<Bounds, kShifts> bounds_;
};

}  // namespace warmline::index
