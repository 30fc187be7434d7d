// Weights of a query: of the score's parts by urgency, and of interests by rarity and facet. Pure functions;
// thread-safe. Formulas: docs/matching.md, "Weights" and "Interests".
#pragma once

#include <cstdint>
#include <string_view>

#include "domain/pool.h"
#include "domain/types.h"

namespace warmline::ranking {

// The policy's weights after the shift of `urgency`; they still add up to 2^20.
[[nodiscard]] domain::Weights WeightsFor(const domain::Policy& policy, domain::Urgency urgency);

// Inverse document frequency of an interest that `having` of `helpers` helpers have, in units of 2^-20: 1 for one that
// a single helper has.
[[nodiscard]] std::uint32_t RarityOf(std::uint64_t having, std::uint64_t helpers);

// Weight of an interest: facet weight times rarity, in units of 2^-20.
[[nodiscard]] std::uint32_t InterestWeight(const domain::Policy& policy, std::string_view canonical,
                                           std::uint64_t having, std::uint64_t helpers);

// Whether an interest makes a circle: at most max(2, rare_share * helpers) have it.
[[nodiscard]] bool IsRare(const domain::Policy& policy, std::uint64_t having, std::uint64_t helpers);

// What an involvement is worth, in units of 2^-20.
[[nodiscard]] std::uint32_t InvolvementValue(domain::Involvement involvement);

}  // namespace warmline::ranking
