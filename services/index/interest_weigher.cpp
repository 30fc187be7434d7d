#include "index/interest_weigher.h"

#include <algorithm>

namespace warmline::index {

void InterestWeigher::Prepare(const Query& query) {
  cells_.fill({});
  own_ = query.own.size();
  for (std::size_t i = 0; i < own_; ++i) weights_[i] = query.own[i].weight;
  for (const QueryTerm& t : query.terms) {
    std::size_t at = First(t.term);
    while (cells_[at].term != kNone) at = (at + 1) % kCells;
    cells_[at] = {t.term, static_cast<std::uint16_t>(t.discount), static_cast<std::uint8_t>(t.own),
                  t.discount == 256 && query.own[t.own].rare};
  }
}

InterestWeigher::Shared InterestWeigher::Weigh(const RowView& row) const {
  Shared shared;
  std::array<std::uint8_t, domain::kMaxQueryTerms> best;
  std::fill(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(own_), 0);
  row.ForEachTerm([&](std::uint32_t term, std::uint8_t level) {
    for (std::size_t at = First(term); cells_[at].term != kNone; at = (at + 1) % kCells) {
      const Cell& cell = cells_[at];
      if (cell.term != term) continue;
      shared.any = true;
      shared.own_rare |= cell.rare;
      best[cell.own] = std::max(best[cell.own], CountedLevel(level, cell.discount));
    }
  });
  for (std::size_t i = 0; i < own_; ++i) shared.sum += weights_[i] * best[i];
  return shared;
}

}  // namespace warmline::index
