// The score: weighted parts that add up exactly. Pure functions; thread-safe. Formulas: docs/matching.md, "Score".
#pragma once

#include <array>
#include <cstdint>

#include "base/sip_hash.h"
#include "domain/fixed_point.h"
#include "domain/member.h"
#include "domain/pool.h"

namespace warmline::ranking {

// Parts by domain::Part, each in [0, 2^20].
using Parts = std::array<std::uint32_t, domain::kParts>;

// floor(weight * part / 2^20) of one part: what a reason says.
[[nodiscard]] constexpr std::uint32_t Contribution(std::uint32_t weight, std::uint32_t part) {
  return static_cast<std::uint32_t>(domain::MulFloor(weight, part));
}

// The sum of all contributions.
[[nodiscard]] constexpr std::uint32_t Score(const domain::Weights& weights, const Parts& parts) {
  std::uint32_t score = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) score += Contribution(weights[i], parts[i]);
  return score;
}

// min over both limits of floor(free * 2^20 / capacity); 0 when either is used up.
[[nodiscard]] std::uint32_t Availability(std::uint32_t open_capacity, std::uint32_t week_capacity,
                                         const domain::Load& load);

// What the bonuses of one need on one day share: a hash under the pool's key, which goes on with the helper. Without
// the key nobody can work out whose bonus a masked match shows. `need_hash` is base::Hash64 of the need's id; `day` is
// epoch hour / 24.
[[nodiscard]] base::SipHash13 ExplorationOf(const base::SipKey& key, std::uint64_t need_hash, std::int64_t day);
// The newcomer's bonus: novelty times a keyed hash of need, day and helper in [0, 2^20), floored. `helper_hash` is
// base::Hash64 of the helper's id.
[[nodiscard]] std::uint32_t Exploration(std::uint32_t novelty, const base::SipHash13& of_need,
                                        std::uint64_t helper_hash);

}  // namespace warmline::ranking
