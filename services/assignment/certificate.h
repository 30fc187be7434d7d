// The proof that a choice of pairs is the best, which anyone can check in one pass. By weak duality of linear
// programming no choice is worth more than what the prices add up to:
//
//   sum over helpers of capacity * price
//   + sum over pairs of max(0, weight - seeker price - helper price)
//   + sum over seekers of (price >= 0 ? capacity * price + bonus : max(0, bonus + price))      where capacity > 0
//
// with helper prices of 0 or more and seeker prices of any sign; so a choice that is worth just that is the best. The
// checker shares nothing with the solver but the problem's types. Thread-safety: pure.
#pragma once

#include <absl/status/status.h>

#include "assignment/problem.h"

namespace warmline::assignment {

// What is claimed of a problem.
struct Certificate {
  std::vector<std::int32_t> chosen;  // indices of pairs
  std::int64_t value = 0;
  std::vector<std::int64_t> seeker_price;
  std::vector<std::int64_t> helper_price;
};

// OK when the choice is possible, is worth `value`, and the prices prove that none is worth more. INVALID_ARGUMENT says
// what is wrong.
[[nodiscard]] absl::Status Verify(const Problem& problem, const Certificate& certificate);

}  // namespace warmline::assignment
