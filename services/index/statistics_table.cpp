#include "index/statistics_table.h"

#include <algorithm>

#include "base/rcu.h"
#include "index/suggest.h"
#include "ranking/weights.h"

namespace warmline::index {

StatisticsTable::StatisticsTable() : unknown_rarity_(ranking::RarityOf(0, 0)) {}

StatisticsTable::StatisticsTable(const domain::Statistics& statistics, base::NameTable& dictionary)
    : generation_(statistics.generation),
      helpers_(static_cast<std::uint64_t>(statistics.helpers)),
      unknown_rarity_(ranking::RarityOf(0, helpers_)) {
  const base::RcuReadGuard guard;
  for (const domain::InterestStatistics& interest : statistics.interests) {
    const std::uint32_t term = dictionary.Intern(interest.canonical);
    if (term >= entries_.size()) entries_.resize(term + std::size_t{1}, {0, unknown_rarity_, 0, 0});
    entries_[term] = {static_cast<std::uint32_t>(interest.helpers),
                      ranking::RarityOf(static_cast<std::uint64_t>(interest.helpers), helpers_),
                      static_cast<std::uint32_t>(relations_.size()),
                      static_cast<std::uint32_t>(interest.relations.size())};
    for (const domain::Relation& relation : interest.relations) {
      relations_.push_back({dictionary.Intern(relation.canonical), relation.discount});
    }
    by_name_.push_back(term);
  }
  by_bare_name_ = by_name_;
  std::sort(by_name_.begin(), by_name_.end(), [&](auto x, auto y) { return dictionary.Name(x) < dictionary.Name(y); });
  std::sort(by_bare_name_.begin(), by_bare_name_.end(), [&](auto x, auto y) {
    const auto bare_x = BareName(dictionary.Name(x));
    const auto bare_y = BareName(dictionary.Name(y));
    return bare_x != bare_y ? bare_x < bare_y : dictionary.Name(x) < dictionary.Name(y);
  });
}

std::span<const TermRelation> StatisticsTable::Relations(std::uint32_t term) const {
  if (term >= entries_.size()) return {};
  return {relations_.data() + entries_[term].first_relation, entries_[term].relations};
}

std::size_t StatisticsTable::bytes() const {
  return entries_.size() * sizeof(Entry) + relations_.size() * sizeof(TermRelation) + by_name_.size() * 8;
}

}  // namespace warmline::index
