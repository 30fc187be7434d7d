#include "application/match_need.h"

#include "application/members.h"
#include "application/needs.h"
#include "base/rcu.h"
#include "domain/error.h"

namespace warmline::application {
namespace {

// First-degree contacts are named, and so is who opened their door to the whole pool; the others as the policy says,
// until consent.
bool IsMasked(const index::View& view, const Caller& caller, const index::RankedHelper& helper) {
  if (caller.IsOperator() || helper.open_door ||
      view.pool->policy.second_degree_visibility == domain::Visibility::kNamed)
    return false;
  return helper.reach == domain::Reach::kSecondDegree || helper.reach == domain::Reach::kCircle;
}

// Whether somebody who is no operator may ask about the helper by name.
bool MayBeNamed(const index::View& view, const index::Explanation& explanation) {
  if (!explanation.match) return false;
  const index::RankedHelper& helper = *explanation.match;
  const bool contact = helper.parts[static_cast<std::size_t>(domain::Part::kCloseness)] == domain::kOne;
  const bool named = view.pool->policy.second_degree_visibility == domain::Visibility::kNamed &&
                     helper.reach != domain::Reach::kUnspecified;
  return contact || helper.open_door || named;
}

bool IsMember(const index::View& view, const std::string& id) {
  const auto number = view.tables->members.Find(id);
  if (!number) return false;
  return view.tables->members.facts(*number).Read(view.sequence).exists;
}

}  // namespace

std::uint32_t Bucket(std::uint32_t count) {
  std::uint32_t floor = 0;
  for (const std::uint32_t low : {1U, 3U, 10U, 30U, 100U}) {
    if (count >= low) floor = low;
  }
  return floor;
}

domain::Rule ShownRule(domain::Rule rule, const Caller& caller) {
  const bool private_rule =
      rule == domain::Rule::kBlock || rule == domain::Rule::kConflict || rule == domain::Rule::kPause;
  return private_rule && !caller.IsOperator() ? domain::Rule::kNotAvailable : rule;
}

absl::StatusOr<domain::Need> ResolveNeed(const index::View& view, const Caller& caller, const std::string& pool,
                                         NeedSubject subject) {
  domain::Need need;
  if (subject.inline_need) {
    need = *std::move(subject.inline_need);
    domain::Violations violations;
    domain::ValidateNeed(need, "inline_need.", violations);
    if (!need.id.empty()) violations.Add("inline_need.name", "is given: leave it out, or name a stored need in `need`");
    if (!violations.empty()) return violations.ToStatus();
    need.id = domain::InlineNeedId(need);
    need.create_time = absl::UnixEpoch();
  } else {
    const auto stored = index::FindNeed(view, subject.stored_id);
    if (stored == nullptr || (!caller.IsOperator() && stored->seeker != caller.member))
      return NeedNotFound(pool, subject.stored_id);
    if (stored->state == domain::NeedState::kClosed) return NeedIsClosed(pool, subject.stored_id);
    need = *stored;
  }
  if (auto status = RequireSelf(caller, need.seeker, "matching a need", {domain::Audience::kSeeker}); !status.ok())
    return status;
  if (!IsMember(view, need.seeker)) return MemberNotFound(pool, need.seeker);
  return need;
}

absl::StatusOr<MatchAnswer> MatchNeed(const PoolRegistry& pools, const Caller& caller, const std::string& pool,
                                      NeedSubject subject, const index::MatchOptions& options,
                                      const index::StopCheck& stop) {
  const base::RcuReadGuard guard;
  const index::View* view = pools.Find(pool);
  if (view == nullptr) return PoolNotFound(pool);
  if (auto status = pools.RequireFresh(pool); !status.ok()) return status;
  auto need = ResolveNeed(*view, caller, pool, std::move(subject));
  if (!need.ok()) return need.status();
  auto result = index::Match(*view, *need, options, stop);
  if (!result.ok()) return result.status();
  MatchAnswer answer{need->id, need->seeker, *std::move(result), {}};
  for (index::RankedHelper& helper : answer.result.ranked) {
    const bool masked = IsMasked(*view, caller, helper);
    answer.shown.push_back({std::move(helper), masked});
  }
  answer.result.ranked.clear();
  return answer;
}

absl::StatusOr<ExplainAnswer> ExplainPair(const PoolRegistry& pools, const Caller& caller, const std::string& pool,
                                          NeedSubject subject, const std::string& helper, bool by_token) {
  const base::RcuReadGuard guard;
  const index::View* view = pools.Find(pool);
  if (view == nullptr) return PoolNotFound(pool);
  if (auto status = pools.RequireFresh(pool); !status.ok()) return status;
  auto need = ResolveNeed(*view, caller, pool, std::move(subject));
  if (!need.ok()) return need.status();
  if (!IsMember(*view, helper)) return MemberNotFound(pool, helper);
  ExplainAnswer answer{need->id, need->seeker, index::Explain(*view, *need, helper), {}, {}};
  if (!caller.IsOperator() && !by_token && !MayBeNamed(*view, answer.explanation)) return MemberNotFound(pool, helper);
  if (answer.explanation.match) {
    answer.found = ShownHelper{*std::move(answer.explanation.match), false};
    answer.found->masked = IsMasked(*view, caller, answer.found->helper);
    if (caller.IsOperator() || answer.explanation.blocked_by.empty()) answer.shown = answer.found;
  }
  answer.explanation.match.reset();
  return answer;
}

}  // namespace warmline::application
