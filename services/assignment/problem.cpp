#include "assignment/problem.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

namespace warmline::assignment {
namespace {

// Sums and path lengths stay below this.
constexpr std::int64_t kMaxSum = std::int64_t{1} << 61;

absl::Status CheckPairs(const Problem& problem) {
  const auto seekers = static_cast<std::int32_t>(problem.seeker_capacity.size());
  const auto helpers = static_cast<std::int32_t>(problem.helper_capacity.size());
  for (std::size_t i = 0; i < problem.pairs.size(); ++i) {
    const Pair& pair = problem.pairs[i];
    if (pair.seeker < 0 || pair.seeker >= seekers || pair.helper < 0 || pair.helper >= helpers)
      return absl::InvalidArgumentError(
          absl::StrCat("pair ", i, " names nobody: seeker ", pair.seeker, ", helper ", pair.helper));
    if (pair.weight < -kMaxWeight || pair.weight > kMaxWeight)
      return absl::InvalidArgumentError(
          absl::StrCat("pair ", i, " has the weight ", pair.weight, ": give -2^32 to 2^32"));
    if (i == 0) continue;
    const Pair& before = problem.pairs[i - 1];
    if (before.seeker > pair.seeker || (before.seeker == pair.seeker && before.helper >= pair.helper))
      return absl::InvalidArgumentError(absl::StrCat("pair ", i, " is not after the one before it, or is the same"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const Problem& problem) {
  const auto side = static_cast<std::int64_t>(std::max(problem.seeker_capacity.size(), problem.helper_capacity.size()));
  const auto pairs = static_cast<std::int64_t>(problem.pairs.size());
  if (side > kMaxSide || pairs > kMaxPairs) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a cohort of ", problem.seeker_capacity.size(), " seekers, ", problem.helper_capacity.size(),
                     " helpers and ", pairs, " pairs is too large: at most ", kMaxSide, " of a side and ", kMaxPairs,
                     " pairs (about 9 GiB); give fewer pairs a seeker, or part the cohort"));
  }
  std::int64_t units = 0;
  for (const auto* capacities : {&problem.seeker_capacity, &problem.helper_capacity}) {
    for (const std::int32_t capacity : *capacities) {
      if (capacity < 0) return absl::InvalidArgumentError(absl::StrCat("a capacity is ", capacity, ": give 0 or more"));
    }
  }
  for (const std::int32_t capacity : problem.seeker_capacity)
    units += std::min<std::int64_t>(capacity, static_cast<std::int64_t>(problem.helper_capacity.size()));
  if (auto status = CheckPairs(problem); !status.ok()) return status;
  std::int64_t heaviest = 1;
  for (const Pair& pair : problem.pairs) heaviest = std::max(heaviest, pair.weight < 0 ? -pair.weight : pair.weight);
  if (problem.bonus < 0 || problem.bonus > kMaxSum / (2 * (units + 1)) ||
      heaviest > (kMaxSum / (2 * (units + 1)) - problem.bonus)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("weights of up to ", heaviest, " with ", units,
                     " places could overflow: give smaller weights (scores are at most 2^20), or part the cohort"));
  }
  return absl::OkStatus();
}

}  // namespace warmline::assignment
