// Why a seeker has whom they have in the best choice, or nobody. Thread-safety: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "assignment/certificate.h"
#include "assignment/problem.h"

namespace warmline::assignment {

enum class Place {
  kMatched,
  kNoPair,    // nobody may be matched with them
  kNoPlaces,  // they have no place, or those whom they may have, have none
  kOutbid,    // the places of all whom they may have are worth more to others
};

// A pair that was not chosen, and what the whole would lose at least if the seeker had it: the prices of both less its
// weight.
struct Alternative {
  std::int32_t pair = 0;
  std::int64_t loss = 0;
};

struct SeekerReason {
  Place place = Place::kNoPair;
  // Of those that were not chosen, the one that the seeker would have liked best.
  std::optional<Alternative> second;
};

// For each seeker of the problem, by a certificate that proves the choice.
[[nodiscard]] std::vector<SeekerReason> Explain(const Problem& problem, const Certificate& certificate);

}  // namespace warmline::assignment
