// The best choice of pairs, and the proof that none is better: an auction to begin with, then successive shortest
// augmenting paths over reduced costs (Edmonds and Karp 1972; Tomizawa 1971), a seeker's place at a time, each path by
// Dijkstra's algorithm that ends at the nearest free place. The prices that make the costs reduced are a solution of
// the dual linear program, and prove the optimum (assignment/certificate.h). Thread-safety: pure.
#pragma once

#include <absl/status/statusor.h>

#include "assignment/problem.h"

namespace warmline::assignment {

struct Solution {
  std::vector<std::int32_t> chosen;  // indices of pairs, in order
  std::int64_t value = 0;            // weights and bonuses
  // What a place is worth: of each seeker (below 0 where even the bonus could not pay for one), and of each helper.
  std::vector<std::int64_t> seeker_price;
  std::vector<std::int64_t> helper_price;
  std::int64_t looked_at = 0;  // pairs, over all searches: the work done
};

// `progress` is told how many of the seekers' places have been looked at. Errors: those of Validate and of `stop`.
[[nodiscard]] absl::StatusOr<Solution> SolveOptimal(const Problem& problem, const StopCheck& stop = {},
                                                    const std::function<void(double)>& progress = {});

}  // namespace warmline::assignment
