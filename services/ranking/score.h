// The score: weighted parts that add up exactly. Pure functions; thread-safe. Formulas: docs/matching.md, "Score".
#pragma once

#include <array>
#include <cstdint>

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

// The newcomer's bonus: novelty times a hash of need, helper and day in [0, 2^20), floored.
// `need_hash` and `helper_hash` are base::Hash64 of their ids; `day` is epoch hour / 24.
[[nodiscard]] std::uint32_t Exploration(std::uint32_t novelty, std::uint64_t need_hash, std::uint64_t helper_hash,
                                        std::int64_t day);

}  // namespace warmline::ranking
