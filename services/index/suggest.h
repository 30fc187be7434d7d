// Interests of a pool for someone who types, or who chose some already. Pure over one view, under a base::RcuReadGuard.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "index/view.h"

namespace warmline::index {

struct Suggestion {
  std::string interest;  // canonical
  std::int64_t helpers = 0;
  bool related = false;
};

// The part of a canonical interest after its facet.
[[nodiscard]] std::string_view BareName(std::string_view canonical);

// At most `limit` interests: first those that go with `related_to` (canonical), then those whose whole name, or name
// without facet, begins with `prefix` as typed; each group by helpers descending, then by name. Those in `related_to`
// are left out, and those that no living helper has any more. With neither: the most used. Of interests of fewer than
// `exact_from` helpers, the order does not tell which has more.
[[nodiscard]] std::vector<Suggestion> SuggestInterests(const View& view, std::string_view prefix,
                                                       const std::vector<std::string>& related_to, int limit,
                                                       std::int64_t exact_from = 1);

}  // namespace warmline::index
