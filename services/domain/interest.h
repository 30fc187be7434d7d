// An interest: `facet:name`, kept as typed, with its canonical form. Values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "domain/error.h"

namespace warmline::domain {

struct Interest {
  std::string typed;
  std::string canonical;  // `facet:canonical-name`, before the pool's synonyms
  double strength = 1.0;
};

// The canonical form of `facet:name`; empty when it has no facet or no name.
[[nodiscard]] std::string CanonicalInterest(std::string_view typed);

// The facet of a canonical interest.
[[nodiscard]] std::string_view FacetOf(std::string_view canonical);

// Adds violations of one interest: form, length, characters, strength in (0, 1].
void ValidateInterest(const Interest& interest, const std::string& field, Violations& violations);
// The same for a list: each one, at most `max` of them, none twice.
void ValidateInterests(const std::vector<Interest>& interests, int max, const std::string& field,
                       Violations& violations);

// Strength as a level in 1..255: round(strength * 255), at least 1.
[[nodiscard]] std::uint8_t StrengthLevel(double strength);
// The level of a member's strength, diluted when they list more than kUndilutedInterests: floor(level * 32 / count), at
// least 1.
[[nodiscard]] std::uint8_t DilutedLevel(double strength, std::size_t count);

}  // namespace warmline::domain
