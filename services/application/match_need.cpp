#include "application/match_need.h"

#include <absl/functional/function_ref.h>

#include "application/members.h"
#include "application/naming.h"
#include "application/needs.h"
#include "base/rcu.h"
#include "domain/error.h"

namespace warmline::application {
namespace {

bool IsMember(const index::View& view, const std::string& id) {
  const auto number = view.tables->members.Find(id);
  if (!number) return false;
  return view.tables->members.facts(*number).Read(view.sequence).exists;
}

// For the need of a subject, as ResolveNeed gives it. `known` is null at first; the answer is nothing when
// introductions must be looked up, which is done while no view is held.
template <typename Answer>
using Attempt = absl::FunctionRef<absl::StatusOr<std::optional<Answer>>(const Acquaintances* known)>;

template <typename Answer>
absl::StatusOr<Answer> WithAcquaintances(const PoolRegistry& pools, const Caller& caller, const std::string& pool,
                                         Attempt<Answer> attempt) {
  auto first = attempt(nullptr);
  if (!first.ok()) return first.status();
  if (first->has_value()) return **std::move(first);
  auto reader = pools.store().Read();
  if (!reader.ok()) return reader.status();
  auto known = AcquaintancesOf(**reader, pool, caller.member);
  reader->reset();
  if (!known.ok()) return known.status();
  auto second = attempt(&*known);
  if (!second.ok()) return second.status();
  return **std::move(second);
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
                                      const NeedSubject& subject, const index::MatchOptions& options,
                                      const index::StopCheck& stop) {
  using Answer = std::optional<MatchAnswer>;
  return WithAcquaintances<MatchAnswer>(pools, caller, pool, [&](const Acquaintances* known) -> absl::StatusOr<Answer> {
    const base::RcuReadGuard guard;
    const index::View* view = pools.Find(pool);
    if (view == nullptr) return PoolNotFound(pool);
    if (auto status = pools.RequireFresh(pool); !status.ok()) return status;
    auto need = ResolveNeed(*view, caller, pool, subject);
    if (!need.ok()) return need.status();
    if (!DropGuesses(*view, caller, known, *need)) return Answer();
    for (const std::string& id : subject.excluded) need->constraints.exclude_members.push_back(id);
    auto result = index::Match(*view, *need, options, stop);
    if (!result.ok()) return result.status();
    MatchAnswer answer{need->id, need->seeker, *std::move(result), {}};
    for (index::RankedHelper& helper : answer.result.ranked) {
      const bool masked = !IsShownByName(*view, caller, helper);
      answer.shown.push_back({std::move(helper), masked});
    }
    answer.result.ranked.clear();
    return Answer(std::move(answer));
  });
}

absl::StatusOr<ExplainAnswer> ExplainPair(const PoolRegistry& pools, const Caller& caller, const std::string& pool,
                                          const NeedSubject& subject, const std::string& helper, bool by_token) {
  using Answer = std::optional<ExplainAnswer>;
  return WithAcquaintances<ExplainAnswer>(
      pools, caller, pool, [&](const Acquaintances* known) -> absl::StatusOr<Answer> {
        const base::RcuReadGuard guard;
        const index::View* view = pools.Find(pool);
        if (view == nullptr) return PoolNotFound(pool);
        if (auto status = pools.RequireFresh(pool); !status.ok()) return status;
        auto need = ResolveNeed(*view, caller, pool, subject);
        if (!need.ok()) return need.status();
        // By name, only of those whom the caller may name; to all but operators nobody else is there.
        const bool named = !by_token && Naming(*view, caller, &*need).MayName(helper);
        if (!by_token && !named && known == nullptr) return Answer();
        if (!DropGuesses(*view, caller, known, *need)) return Answer();
        if (!IsMember(*view, helper) || !(by_token || named || known->contains(helper)))
          return MemberNotFound(pool, helper);
        ExplainAnswer answer{need->id, need->seeker, index::Explain(*view, *need, helper), {}, {}};
        if (answer.explanation.match) {
          answer.found = ShownHelper{*std::move(answer.explanation.match), false};
          // Whoever asks by name knows the name.
          answer.found->masked = by_token && !IsShownByName(*view, caller, answer.found->helper);
          if (caller.IsOperator() || answer.explanation.blocked_by.empty()) answer.shown = answer.found;
        }
        answer.explanation.match.reset();
        return Answer(std::move(answer));
      });
}

bool NeedsStore(const PoolRegistry& pools, const Caller& caller, const std::string& pool, const NeedSubject& subject) {
  if (caller.IsOperator()) return false;
  if (subject.inline_need) return !subject.inline_need->constraints.exclude_members.empty();
  const base::RcuReadGuard guard;
  const index::View* view = pools.Find(pool);
  const auto need = view == nullptr ? nullptr : index::FindNeed(*view, subject.stored_id);
  return need != nullptr && !need->constraints.exclude_members.empty();
}

}  // namespace warmline::application
