// A pool and its policy: how an isolated market matches. Values. Defaults are those of docs/matching.md.
#pragma once

#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/error.h"
#include "domain/fixed_point.h"
#include "domain/types.h"

namespace warmline::domain {

// Weights of the parts, in units of 2^-20, by Part; they add up to 2^20.
using Weights = std::array<std::uint32_t, kParts>;

// What keeps asks few and worth reading.
struct IntroductionRules {
  std::int32_t seeker_open_asks = 5;
  std::int32_t seeker_asks_per_week = 10;
  std::int32_t introducer_asks_per_week = 5;
  absl::Duration cool_down = absl::Hours(24 * 30);
  // By Urgency; that of kUnspecified is not used.
  std::array<absl::Duration, 5> expiry = {absl::Hours(24 * 7), absl::Hours(24 * 14), absl::Hours(24 * 7),
                                          absl::Hours(24 * 3), absl::Hours(24)};
  absl::Duration outcome_wait = absl::Hours(24 * 60);
  absl::Duration pair_period = absl::Hours(24 * 90);
  std::int32_t repeat_distance = 10;  // bits of a message's sketch
  std::int32_t silent_asks_to_remind = 2;
  std::int32_t silent_asks_to_pause = 4;
};

// What is erased by itself, and how long before it is announced.
struct Retention {
  std::optional<absl::Duration> unused_after;  // nothing: never
  absl::Duration notice = absl::Hours(24 * 30);
};

struct Policy {
  Weights weights = {
      kOne * 30 / 100, kOne * 22 / 100, kOne * 10 / 100, kOne * 10 / 100, kOne * 10 / 100, kOne * 13 / 100, 0};
  std::uint32_t shift_high = kOne / 16;
  std::uint32_t shift_immediate = kOne / 8;
  std::int32_t half_life_hours = 24 * 180;
  std::uint32_t prior_helped_hundredths = 100;
  std::uint32_t prior_unhelped_hundredths = 100;
  std::int32_t response_target_minutes = 24 * 60;
  std::map<std::string, std::uint32_t, std::less<>> facet_weights;
  std::uint32_t second_degree_decay = kOne / 2;
  std::uint32_t rare_share = kOne / 50;
  std::uint32_t proven_helpfulness = kOne * 45 / 100;
  std::uint32_t proven_outcomes = 3;
  EvidenceGate evidence_gate = EvidenceGate::kNone;
  Visibility second_degree_visibility = Visibility::kMasked;
  std::map<std::string, std::string> synonyms;  // canonical alias -> canonical
  IntroductionRules introductions;
  Retention retention;
  std::int64_t version = 1;

  Policy();

  // Weight of a facet, in units of 2^-20.
  [[nodiscard]] std::uint32_t FacetWeight(std::string_view facet) const;
  // The canonical interest after the pool's synonyms (one step).
  [[nodiscard]] const std::string& Resolve(const std::string& canonical) const;
};

struct Pool {
  std::string id;
  std::string display_name;
  Policy policy;
  std::int64_t revision = 0;  // of the last write to the pool's own record
  absl::Time create_time;
};

// Adds every violation of a pool's rules and limits, with field paths below `prefix`.
void ValidatePool(const Pool& pool, const std::string& prefix, Violations& violations);

}  // namespace warmline::domain
