#include "domain/pool.h"

#include <absl/strings/str_cat.h>

#include <numeric>

#include "domain/interest.h"
#include "domain/limits.h"
#include "domain/names.h"
#include "domain/text.h"

namespace warmline::domain {

Policy::Policy() {
  // What the roundings of the other weights leave goes to exploration: 5 %.
  weights[static_cast<int>(Part::kExploration)] =
      kOne - std::accumulate(weights.begin(), weights.end() - 1, std::uint32_t{0});
  facet_weights = {{"profession", kOne},        {"skill", kOne * 8 / 10},  {"industry", kOne * 6 / 10},
                   {"employer", kOne * 6 / 10}, {"school", kOne * 5 / 10}, {"hobby", kOne * 4 / 10},
                   {"*", kOne * 5 / 10}};
}

std::uint32_t Policy::FacetWeight(std::string_view facet) const {
  auto found = facet_weights.find(facet);
  if (found == facet_weights.end()) found = facet_weights.find("*");
  return found == facet_weights.end() ? kOne / 2 : found->second;
}

const std::string& Policy::Resolve(const std::string& canonical) const {
  const auto found = synonyms.find(canonical);
  return found == synonyms.end() ? canonical : found->second;
}

namespace {

void ValidateRules(const IntroductionRules& rules, const std::string& prefix, Violations& violations) {
  const auto number = [&](std::int32_t value, std::int32_t high, const char* field) {
    if (value < 1 || value > high)
      violations.Add(prefix + field, absl::StrCat(value, " is out of range: give 1 to ", high));
  };
  const auto time = [&](absl::Duration value, absl::Duration low, absl::Duration high, const char* field) {
    if (value < low || value > high) {
      violations.Add(prefix + field, absl::StrCat(absl::FormatDuration(value), " is out of range: give ",
                                                  absl::FormatDuration(low), " to ", absl::FormatDuration(high)));
    }
  };
  constexpr absl::Duration kDay = absl::Hours(24);
  number(rules.seeker_open_asks, 1'000, "seeker_open_asks");
  number(rules.seeker_asks_per_week, 1'000, "seeker_asks_per_week");
  number(rules.introducer_asks_per_week, 1'000, "introducer_asks_per_week");
  time(rules.cool_down, absl::Seconds(1), kDay * 365, "cool_down");
  constexpr std::array<const char*, 5> kExpiry = {"", "expiry_low", "expiry_normal", "expiry_high", "expiry_immediate"};
  for (std::size_t u = 1; u < kExpiry.size(); ++u) time(rules.expiry[u], absl::Seconds(1), kDay * 90, kExpiry[u]);
  time(rules.outcome_wait, absl::Seconds(1), kDay * 365, "outcome_wait");
  time(rules.pair_period, absl::Seconds(1), kDay * 3650, "pair_period");
  number(rules.repeat_distance, 32, "repeat_distance");
  number(rules.silent_asks_to_pause, 100, "silent_asks_to_pause");
  number(rules.silent_asks_to_remind, 100, "silent_asks_to_remind");
}

void ValidateRetention(const Retention& retention, const std::string& prefix, Violations& violations) {
  const auto days = [&](absl::Duration value, int low, int high, const char* field) {
    if (value < absl::Hours(24) * low || value > absl::Hours(24) * high) {
      violations.Add(prefix + field,
                     absl::StrCat(absl::FormatDuration(value), " is out of range: give ", low, " to ", high, " days"));
    }
  };
  if (retention.unused_after) days(*retention.unused_after, 30, 7'300, "unused_after");
  days(retention.notice, 1, 365, "notice");
}

}  // namespace

void ValidatePool(const Pool& pool, const std::string& prefix, Violations& violations) {
  ValidatePoolId(pool.id, prefix + "name", violations);
  CheckText(pool.display_name, prefix + "display_name", kMaxDisplayNameCharacters, true, false, violations);
  const Policy& p = pool.policy;
  const std::string at = prefix + "policy.";
  const std::uint64_t sum = std::accumulate(p.weights.begin(), p.weights.end(), std::uint64_t{0});
  if (sum != kOne)
    violations.Add(at + "weights", absl::StrCat("add up to ", sum, ": they must add up to 2^20 = ", kOne));
  const auto check = [&](std::int64_t value, std::int64_t low, std::int64_t high, const char* field) {
    if (value < low || value > high)
      violations.Add(at + field, absl::StrCat(value, " is out of range: give ", low, " to ", high));
  };
  check(p.shift_high, 0, kOne / 2, "shift_high");
  check(p.shift_immediate, 0, kOne / 2, "shift_immediate");
  check(p.half_life_hours, 1, 24 * 3650, "evidence_half_life (hours)");
  check(p.prior_helped_hundredths, 1, 100'000, "prior_helped_hundredths");
  check(p.prior_unhelped_hundredths, 1, 100'000, "prior_unhelped_hundredths");
  check(p.response_target_minutes, 1, 60 * 24 * 90, "response_target (minutes)");
  check(p.second_degree_decay, 0, kOne, "second_degree_decay");
  check(p.rare_share, 0, kOne, "rare_share");
  check(p.proven_helpfulness, 0, kOne, "proven_helpfulness");
  check(p.proven_outcomes, 0, kMaxEvidenceCount, "proven_outcomes");
  check(static_cast<std::int64_t>(p.facet_weights.size()), 0, kMaxFacetWeights, "facet_weights (entries)");
  for (const auto& [facet, weight] : p.facet_weights) {
    if (weight > kOne)
      violations.Add(absl::StrCat(at, "facet_weights[", facet, "]"),
                     absl::StrCat(weight, " is more than 2^20 = ", kOne));
  }
  ValidateRules(p.introductions, at + "introductions.", violations);
  ValidateRetention(p.retention, at + "retention.", violations);
  check(static_cast<std::int64_t>(p.synonyms.size()), 0, kMaxSynonyms, "synonyms (entries)");
  for (const auto& [alias, canonical] : p.synonyms) {
    if (p.synonyms.contains(canonical)) {
      violations.Add(at + "synonyms",
                     absl::StrCat(Quoted(canonical), " is itself an alias: name the last interest of the chain"));
    }
  }
}

}  // namespace warmline::domain
