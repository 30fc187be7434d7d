#include "application/ask_plan.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "application/naming.h"
#include "base/rcu.h"
#include "domain/message_sketch.h"
#include "domain/names.h"

namespace warmline::application {
namespace {

void DescribeMatch(const index::RankedHelper& match, const domain::Weights& weights, bool masked, absl::Time now,
                   domain::Introduction& draft) {
  draft.masked = masked;
  draft.reach = match.reach;
  draft.introducer = match.introducer;
  draft.score = match.score;
  for (std::size_t part = 0; part < match.parts.size(); ++part)
    draft.reasons.push_back({static_cast<domain::Part>(part), match.parts[part], weights[part]});
  for (const index::SharedInterest& s : match.shared)
    draft.shared_interests.push_back({s.need_interest, s.related, s.contribution, s.rare});
  draft.evidence = {match.evidence.helped_count, match.evidence.outcome_count, std::nullopt};
  if (match.evidence.last_helped_hour != ranking::kUnknown) {
    const std::int64_t days = std::max<std::int64_t>(0, EpochHour(now) - match.evidence.last_helped_hour) / 24;
    draft.evidence.last_helped_days = masked ? (days + 6) / 7 * 7 : days;
  }
  if (!masked) return;
  draft.evidence.helped = Bucket(draft.evidence.helped);
  draft.evidence.outcomes = Bucket(draft.evidence.outcomes);
}

// Whom an operator asks for a seeker, the seeker does not see before the helper consents, as if they had asked
// themselves.
bool IsMaskedTo(const PoolRegistry& pools, const std::string& pool, const std::string& seeker,
                const index::RankedHelper& helper) {
  const base::RcuReadGuard guard;
  const index::View* view = pools.Find(pool);
  return view == nullptr || !IsShownByName(*view, {domain::Audience::kSeeker, seeker}, helper);
}

// The way that the ask goes: that of the match, or what the caller chose instead where they may.
absl::Status ChooseWay(const AskTarget& target, bool open_door, const std::string& field, domain::Introduction& draft) {
  domain::Violations violations;
  if (target.direct && !target.introducer.empty())
    violations.Add(field + ".direct", "is set beside an introducer: choose one of the two");
  if (target.direct && draft.reach == domain::Reach::kSecondDegree) {
    if (!open_door) {
      violations.Add(
          field + ".direct",
          "is set, but this helper is open to second-degree contacts through an introducer only: leave it out");
    }
    draft.reach = domain::Reach::kPool;
    draft.introducer.clear();
  }
  if (!target.introducer.empty()) {
    if (draft.reach != domain::Reach::kSecondDegree) {
      violations.Add(field + ".introducer", "is given, but this helper is asked directly: leave it out");
    }
    draft.introducer = target.introducer;
  }
  return violations.ToStatus();
}

}  // namespace

absl::StatusOr<AskPlan> PlanAsk(const PoolRegistry& pools, const Caller& caller, const std::string& pool,
                                const NeedSubject& subject, const std::vector<AskTarget>& targets,
                                const std::string& message, absl::Time now) {
  AskPlan plan;
  std::optional<domain::Need> need;
  {
    const base::RcuReadGuard guard;
    const index::View* view = pools.Find(pool);
    if (view == nullptr) return PoolNotFound(pool);
    auto resolved = ResolveNeed(*view, caller, pool, subject);
    if (!resolved.ok()) return resolved.status();
    need = *std::move(resolved);
  }
  plan.seeker = need->seeker;
  plan.need_id = need->id;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const AskTarget& target = targets[i];
    const std::string field = absl::StrCat("targets[", i, "]");
    auto answer = ExplainPair(pools, caller, pool, subject, target.helper, target.by_token);
    if (!answer.ok()) return answer.status();
    // Only now, so that a guess does not say whether it is who stands there by a token.
    for (std::size_t j = 0; j < i; ++j) {
      if (targets[j].helper != target.helper) continue;
      domain::Violations violations;
      violations.Add(field, absl::StrCat("names the same helper as targets[", j, "]: keep one"));
      return violations.ToStatus();
    }
    PlannedTarget planned;
    domain::Introduction& draft = planned.draft;
    draft.seeker = plan.seeker;
    draft.helper = target.helper;
    draft.need_id = plan.need_id;
    draft.message = target.message.empty() ? message : target.message;
    draft.message_sketch = domain::MessageSketch(draft.message);
    draft.showcase = need->showcase;
    draft.urgency = need->urgency;
    draft.help_kinds = need->help_kinds;
    planned.is_match = answer->explanation.is_candidate;
    planned.blocked_by = answer->explanation.blocked_by;
    if (answer->found) {
      const bool masked =
          caller.IsOperator() ? IsMaskedTo(pools, pool, plan.seeker, answer->found->helper) : answer->found->masked;
      DescribeMatch(answer->found->helper, answer->explanation.weights, masked, now, draft);
      if (auto status = ChooseWay(target, answer->found->helper.open_door, field, draft); !status.ok()) return status;
    }
    plan.targets.push_back(std::move(planned));
  }
  return plan;
}

}  // namespace warmline::application
