// A good beginning for the solver, by an auction (Bertsekas 1979) without the usual epsilon, so that what it leaves is
// exact: each seeker without somebody bids for the helper who is worth most to them, as much as keeps that helper worth
// the second best; the lowest bid of a full helper has to go. Who could only equal a bid waits for the solver.
// Thread-safety: pure.
#pragma once

#include <absl/status/statusor.h>

#include "assignment/problem.h"

namespace warmline::assignment {

struct Beginning {
  // Of each seeker, the pair of their first place; -1 for none.
  std::vector<std::int32_t> pair_of;
  // The lowest bid of a full helper, else 0 (of one without places, more than anybody gives): no pair of a seeker is
  // worth more to them, at these prices, than the one that they have.
  std::vector<std::int64_t> helper_price;
  std::int64_t looked_at = 0;  // pairs
};

// `row` has, of each seeker, its first pair, and their count at the end. Errors: those of `stop`.
[[nodiscard]] absl::StatusOr<Beginning> Auction(const Problem& problem, const std::vector<std::int64_t>& row,
                                                const StopCheck& stop);

}  // namespace warmline::assignment
