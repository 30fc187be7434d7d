// Solvers that bench_assign compares with. Each gives the best sum of weights, and the milliseconds that it took.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "assignment/problem.h"

namespace warmline::bench {

inline double MillisecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// LEMON's network simplex; the time of building its graph counts, as that of ours does.
[[nodiscard]] std::pair<std::int64_t, double> NetworkSimplexOf(const assignment::Problem& problem);
// For square problems of one place each.
[[nodiscard]] std::pair<std::int64_t, double> HungarianOf(const assignment::Problem& problem);

}  // namespace warmline::bench
