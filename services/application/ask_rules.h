// The rules that refuse an ask: everything that stands in its way, with figures and when it frees up. They run on a
// reader for a review, and inside the transaction that makes the ask, which decides. Thread-safety: pure over a reader.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "application/ask_plan.h"
#include "application/record_store.h"
#include "domain/error.h"
#include "domain/introduction.h"

namespace warmline::application {

struct Refusal {
  domain::ErrorReason reason = domain::ErrorReason::kUnspecified;
  std::string description;
  std::int64_t limit = 0;  // where there is one
  std::int64_t used = 0;
  std::optional<absl::Time> free_time;  // when it frees up by itself
};

// As an error of the call, with the time to wait where it is known.
[[nodiscard]] absl::Status ToError(const Refusal& refusal, absl::Time now);

// The week of budgets and capacities: any seven days.
inline constexpr absl::Duration kWeek = absl::Hours(24 * 7);
// How far back messages are compared.
inline constexpr absl::Duration kRepeatMemory = absl::Hours(24 * 30);
// Introductions of one member that are looked at: budgets are at most 1,000 a week.
inline constexpr int kMaxHistory = 5'000;

// The asks of a seeker that rules look at: those that are open or cool down, and those of the last 30 days.
[[nodiscard]] absl::StatusOr<std::vector<domain::Introduction>> AsksOf(RecordReader& reader, const std::string& pool,
                                                                       const std::string& seeker, absl::Time now);

// Those of the match at the time it was looked up.
[[nodiscard]] std::vector<Refusal> MatchRefusals(bool is_match, const std::vector<domain::Rule>& blocked_by);
// Those of the text: its length, and whether it was sent before with another ask.
[[nodiscard]] std::vector<Refusal> MessageRefusals(const domain::Introduction& draft,
                                                   const std::vector<domain::Introduction>& asks,
                                                   const domain::IntroductionRules& rules, absl::Time now);
// Everything else, as the store has it: who may be asked, open asks and cool-downs, capacity, budgets, the introducer.
// Errors: NOT_FOUND (MEMBER_NOT_FOUND) when one of the two is gone.
[[nodiscard]] absl::StatusOr<std::vector<Refusal>> StoreRefusals(RecordReader& reader, const std::string& pool,
                                                                 const domain::Introduction& draft,
                                                                 const std::vector<domain::Introduction>& asks,
                                                                 const domain::IntroductionRules& rules,
                                                                 absl::Time now);

// All of them for one target, in the order in which they are told.
[[nodiscard]] absl::StatusOr<std::vector<Refusal>> RefusalsOf(RecordReader& reader, const std::string& pool,
                                                              const PlannedTarget& target,
                                                              const std::vector<domain::Introduction>& asks,
                                                              const domain::IntroductionRules& rules, absl::Time now);

// A whole ask: what would refuse each target; -1 stands for the ask itself.
struct TargetRefusal {
  int target = 0;
  Refusal refusal;
};
[[nodiscard]] absl::StatusOr<std::vector<TargetRefusal>> ReviewAsk(RecordReader& reader, const std::string& pool,
                                                                   const AskPlan& plan, absl::Time now);

}  // namespace warmline::application
