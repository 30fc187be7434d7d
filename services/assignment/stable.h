// A choice that nobody would undo: no seeker and helper who would both rather have each other than what they have.
// Deferred acceptance (Gale and Shapley 1962; with places, Roth 1984): the side that proposes gets the best that any
// stable choice can give it, the other the worst. Thread-safety: pure.
#pragma once

#include <absl/status/statusor.h>

#include "assignment/problem.h"

namespace warmline::assignment {

enum class Proposer { kSeeker, kHelper };

// What each side thinks of a pair, by its index: the higher the better. Who thinks the same of two is decided by the
// seed, once for all.
struct Preferences {
  std::vector<std::int64_t> of_seekers;
  std::vector<std::int64_t> of_helpers;
  // What names a pair where ties are broken, however many others there are; empty: its numbers.
  std::vector<std::uint64_t> ties = {};
  std::uint64_t seed = 1;
};

struct StableChoice {
  std::vector<std::int32_t> chosen;  // indices of pairs, in order
  std::int64_t proposals = 0;
};

// Seekers have at most one place: with more, or for couples, a stable choice need not exist. Errors: those of Validate;
// INVALID_ARGUMENT for a seeker with more places, or preferences that are not one for each pair; those of `stop`.
[[nodiscard]] absl::StatusOr<StableChoice> SolveStable(const Problem& problem, const Preferences& preferences,
                                                       Proposer proposer, const StopCheck& stop = {});

// The pairs who would both rather have each other: none, when the choice is stable. Errors: INVALID_ARGUMENT for a
// choice that capacities do not allow.
[[nodiscard]] absl::StatusOr<std::vector<std::int32_t>> BlockingPairs(const Problem& problem,
                                                                      const Preferences& preferences,
                                                                      const std::vector<std::int32_t>& chosen);

}  // namespace warmline::assignment
