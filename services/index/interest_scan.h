// The plain accumulate-everything scan of a query's postings: exact, and linear in them. Scratch memory is reused
// between queries. Thread-safety: one InterestScan belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/query.h"
#include "index/segment.h"

namespace warmline::index {

class InterestScan {
 public:
  // Adds up the query's terms over a segment. What was there before is cleared first.
  void Run(const Segment& segment, const Query& query);
  // Counts a document as a candidate although it may share no interest, and marks it as near the seeker.
  void TouchNear(std::uint32_t doc);

  // Every document that was touched, in order of first touch; dead ones too.
  [[nodiscard]] std::span<const std::uint32_t> touched() const { return touched_; }
  // Sum over own terms of weight times level, where a related interest counts at its discount and the best one of a
  // term counts.
  [[nodiscard]] std::uint64_t sum(std::uint32_t doc) const { return cells_[doc] >> kSumShift; }
  [[nodiscard]] bool shares_rare(std::uint32_t doc) const { return (cells_[doc] & kRare) != 0; }
  [[nodiscard]] bool is_near(std::uint32_t doc) const { return (cells_[doc] & kNear) != 0; }

 private:
  // One word a document, since the scan is bound by memory: level of the own term last added (8 bits), that own term
  // plus one (7), shares a rare interest, is near, and the sum (47: at most 64 terms of 2^28 times 255). 0: not
  // touched.
  static constexpr std::uint64_t kLevelMask = 0xff;
  static constexpr int kOwnShift = 8;
  static constexpr std::uint64_t kOwnMask = std::uint64_t{0x7f} << kOwnShift;
  static constexpr std::uint64_t kRare = std::uint64_t{1} << 15;
  static constexpr std::uint64_t kNear = std::uint64_t{1} << 16;
  static constexpr int kSumShift = 17;

  void Clear(std::size_t size);
  void Add(const Postings& list, const QueryTerm& term, const OwnTerm& own);

  std::vector<std::uint64_t> cells_;
  std::vector<std::uint32_t> touched_;
};

// The level at which a posting counts for an own term: floor(level * discount / 256).
[[nodiscard]] constexpr std::uint8_t CountedLevel(std::uint8_t level, std::uint32_t discount) {
  return static_cast<std::uint8_t>(level * discount / 256);
}

}  // namespace warmline::index
