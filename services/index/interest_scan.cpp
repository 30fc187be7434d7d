#include "index/interest_scan.h"

#include <algorithm>

namespace warmline::index {

void InterestScan::Clear(std::size_t size) {
  for (const std::uint32_t doc : touched_) cells_[doc] = Cell{};
  touched_.clear();
  if (cells_.size() < size) cells_.resize(size);
}

void InterestScan::Touch(std::uint32_t doc) {
  if (cells_[doc].touched) return;
  cells_[doc].touched = true;
  touched_.push_back(doc);
}

void InterestScan::Add(const Postings& list, const QueryTerm& term, const OwnTerm& own) {
  const auto group = static_cast<std::uint8_t>(term.own + 1);
  const bool rare = own.rare && term.discount == 256;
  for (std::size_t i = 0; i < list.documents.size(); ++i) {
    const std::uint32_t doc = list.documents[i];
    Cell& cell = cells_[doc];
    if (!cell.touched) {
      cell.touched = true;
      touched_.push_back(doc);
    }
    cell.rare = cell.rare || rare;
    const std::uint8_t level = CountedLevel(list.levels[i], term.discount);
    if (cell.own != group) {
      cell.own = group;
      cell.level = level;
      cell.sum += own.weight * level;
    } else if (level > cell.level) {
      cell.sum += own.weight * (level - cell.level);
      cell.level = level;
    }
  }
}

void InterestScan::Run(const Segment& segment, const Query& query) {
  Clear(segment.size());
  for (const QueryTerm& term : query.terms) Add(segment.postings(term.term), term, query.own[term.own]);
}

}  // namespace warmline::index
