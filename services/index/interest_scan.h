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
  // Counts a document as a candidate although it may share no interest.
  void Touch(std::uint32_t doc);

  // Every document that was touched, in order of first touch; dead ones too.
  [[nodiscard]] std::span<const std::uint32_t> touched() const { return touched_; }
  // Sum over own terms of weight times level, where a related interest counts at its discount and the best one of a
  // term counts.
  [[nodiscard]] std::uint64_t sum(std::uint32_t doc) const { return cells_[doc].sum; }
  [[nodiscard]] bool shares_rare(std::uint32_t doc) const { return cells_[doc].rare; }

 private:
  struct Cell {
    std::uint64_t sum = 0;
    std::uint8_t own = 0;    // own term last added, plus one
    std::uint8_t level = 0;  // its level so far
    bool rare = false;
    bool touched = false;
  };
  void Clear(std::size_t size);
  void Add(const Postings& list, const QueryTerm& term, const OwnTerm& own);

  std::vector<Cell> cells_;
  std::vector<std::uint32_t> touched_;
};

// The level at which a posting counts for an own term: floor(level * discount / 256).
[[nodiscard]] constexpr std::uint8_t CountedLevel(std::uint8_t level, std::uint32_t discount) {
  return static_cast<std::uint8_t>(level * discount / 256);
}

}  // namespace warmline::index
