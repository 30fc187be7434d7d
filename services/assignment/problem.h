// A cohort to be matched at once: seekers, helpers, and the pairs that may be, each with what it is worth. Values.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace warmline::assignment {

// Limits: a larger cohort is refused. A pair costs about 90 bytes while a plan is made and
// checked (measured at 3 million pairs in two stages).
inline constexpr std::int64_t kMaxSide = 2'000'000;
inline constexpr std::int64_t kMaxPairs = 100'000'000;
inline constexpr std::int64_t kMaxWeight = std::int64_t{1} << 32;

struct Pair {
  std::int32_t seeker = 0;
  std::int32_t helper = 0;
  std::int64_t weight = 0;
  friend bool operator==(const Pair&, const Pair&) = default;
};

// Choose pairs, each at most once, so that no side has more than its capacity, and the sum of their weights, plus
// `bonus` for each seeker who has any, is as large as can be.
struct Problem {
  std::vector<std::int32_t> seeker_capacity;
  std::vector<std::int32_t> helper_capacity;
  std::vector<Pair> pairs;  // by seeker, then by helper; each once
  std::int64_t bonus = 0;
};

// Called now and then; an error ends the work with it.
using StopCheck = std::function<absl::Status()>;

// INVALID_ARGUMENT for pairs out of order or range, RESOURCE_EXHAUSTED for a cohort past the limits, or one whose
// weights could overflow.
[[nodiscard]] absl::Status Validate(const Problem& problem);

}  // namespace warmline::assignment
