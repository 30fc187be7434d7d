#include "index/interest_scan.h"

#include <algorithm>

namespace warmline::index {

void InterestScan::Clear(std::size_t size) {
  // A few touched cells are cleared one by one, many by going through all.
  if (touched_.size() * 8 < cells_.size()) {
    for (const std::uint32_t doc : touched_) cells_[doc] = 0;
  } else {
    std::fill(cells_.begin(), cells_.end(), 0);
  }
  touched_.clear();
  if (cells_.size() < size) cells_.resize(size, 0);
}

void InterestScan::TouchNear(std::uint32_t doc) {
  if (cells_[doc] == 0) touched_.push_back(doc);
  cells_[doc] |= kNear;
}

void InterestScan::Add(const Postings& list, const QueryTerm& term, const OwnTerm& own) {
  const std::uint64_t group = std::uint64_t{term.own + 1} << kOwnShift;
  const std::uint64_t rare = own.rare && term.discount == 256 ? kRare : 0;
  for (std::size_t i = 0; i < list.documents.size(); ++i) {
    const std::uint32_t doc = list.documents[i];
    std::uint64_t cell = cells_[doc];
    if (cell == 0) touched_.push_back(doc);
    const std::uint64_t level = CountedLevel(list.levels[i], term.discount);
    const std::uint64_t before = (cell & kOwnMask) == group ? cell & kLevelMask : 0;
    const std::uint64_t best = std::max(level, before);
    cell = (cell & ~(kLevelMask | kOwnMask)) | group | best | rare;
    cells_[doc] = cell + (own.weight * (best - before) << kSumShift);
  }
}

void InterestScan::Run(const Segment& segment, const Query& query) {
  Clear(segment.size());
  for (const QueryTerm& term : query.terms) Add(segment.postings(term.term), term, query.own[term.own]);
}

}  // namespace warmline::index
