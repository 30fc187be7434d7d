#include "domain/interest.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cmath>

#include "domain/limits.h"
#include "domain/text.h"

namespace warmline::domain {

std::string CanonicalInterest(std::string_view typed) {
  const std::size_t colon = typed.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string facet = CanonicalName(typed.substr(0, colon));
  const std::string name = CanonicalName(typed.substr(colon + 1));
  if (facet.empty() || name.empty()) return {};
  return absl::StrCat(facet, ":", name);
}

std::string_view FacetOf(std::string_view canonical) { return canonical.substr(0, canonical.find(':')); }

void ValidateInterest(const Interest& interest, const std::string& field, Violations& violations) {
  if (interest.typed.size() > kMaxInterestBytes) {
    violations.Add(field, absl::StrCat(Quoted(interest.typed), " has ", interest.typed.size(), " bytes: at most ",
                                       kMaxInterestBytes));
    return;
  }
  Violations text;
  CheckText(interest.typed, field, kMaxInterestBytes, true, false, text);
  if (!text.empty()) {
    CheckText(interest.typed, field, kMaxInterestBytes, true, false, violations);
  } else if (interest.canonical.empty()) {
    violations.Add(field,
                   absl::StrCat(Quoted(interest.typed), " is not `facet:name`: write, for example, `skill:sql`"));
  } else if (const auto facet = FacetOf(interest.canonical);
             facet.size() > kMaxFacetBytes || !std::all_of(facet.begin(), facet.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
             })) {
    violations.Add(field, absl::StrCat("facet ", Quoted(facet), " is not 1 to ", kMaxFacetBytes,
                                       " of a-z 0-9 -: use one such as `profession`"));
  }
  if (!(interest.strength > 0.0 && interest.strength <= 1.0)) {
    violations.Add(absl::StrCat(field, ".strength"),
                   absl::StrCat(interest.strength, " is out of range: give more than 0 and at most 1"));
  }
}

void ValidateInterests(const std::vector<Interest>& interests, int max, const std::string& field,
                       Violations& violations) {
  if (interests.size() > static_cast<std::size_t>(max)) {
    violations.Add(
        field, absl::StrCat("has ", interests.size(), " interests: at most ", max, "; keep the ones that matter most"));
    return;
  }
  absl::flat_hash_set<std::string_view> seen;
  for (std::size_t i = 0; i < interests.size(); ++i) {
    const std::string at = absl::StrCat(field, "[", i, "]");
    ValidateInterest(interests[i], at, violations);
    if (!interests[i].canonical.empty() && !seen.insert(interests[i].canonical).second) {
      violations.Add(
          at, absl::StrCat(Quoted(interests[i].typed), " is listed twice (as ", interests[i].canonical, "): keep one"));
    }
  }
}

std::uint8_t StrengthLevel(double strength) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(strength * 255.0 + 0.5), 1.0, 255.0));
}

std::uint8_t DilutedLevel(double strength, std::size_t count) {
  const std::uint8_t level = StrengthLevel(strength);
  if (count <= kUndilutedInterests) return level;
  return static_cast<std::uint8_t>(std::max<std::size_t>(1, level * std::size_t{kUndilutedInterests} / count));
}

}  // namespace warmline::domain
