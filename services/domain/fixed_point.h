// Integer arithmetic in units of 2^-20, so that every machine and compiler computes the same scores.
// Pure functions; thread-safe. The formulas that use them are in docs/matching.md.
#pragma once

#include <cstdint>

namespace warmline::domain {

inline constexpr int kFixedBits = 20;
// One, in units of 2^-20.
inline constexpr std::uint32_t kOne = 1U << kFixedBits;

// floor(a * b / 2^20).
[[nodiscard]] constexpr std::uint64_t MulFloor(std::uint64_t a, std::uint64_t b) { return (a * b) >> kFixedBits; }

// floor(2^20 * log2(n)), for n in [1, 2^40].
[[nodiscard]] std::uint64_t Log2Floor(std::uint64_t n);

// floor(2^20 * 2^(-age / half_life)), both in the same unit; 0 past 40 half-lives. half_life > 0.
[[nodiscard]] std::uint32_t DecayFloor(std::uint64_t age, std::uint64_t half_life);

// floor(sqrt(n)).
[[nodiscard]] std::uint64_t SqrtFloor(std::uint64_t n);

}  // namespace warmline::domain
