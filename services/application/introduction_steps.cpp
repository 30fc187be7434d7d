#include "application/introduction_steps.h"

#include <algorithm>

#include "application/ask_rules.h"
#include "application/members.h"
#include "domain/limits.h"

namespace warmline::application {
namespace {

using domain::Introduction;
using domain::Move;
using domain::Mover;

// The drafts of one ask, in order of their turn.
absl::StatusOr<std::vector<Introduction>> DraftsOf(RecordReader& reader, const std::string& pool,
                                                   const std::string& seeker, const std::string& ask) {
  auto drafts = reader.ListIntroductions(
      pool, {.role = IntroductionQuery::Role::kSeeker, .member = seeker, .drafts_only = true, .limit = kMaxHistory});
  if (!drafts.ok()) return drafts;
  std::erase_if(*drafts, [&](const Introduction& i) { return i.ask != ask; });
  std::sort(drafts->begin(), drafts->end(), [](const auto& x, const auto& y) { return x.position < y.position; });
  return drafts;
}

}  // namespace

absl::Status Send(WriteTransaction& tx, const std::string& pool, const domain::IntroductionRules& rules, Mover mover,
                  absl::Time now, Introduction& draft) {
  auto helper = FindMember(tx, pool, draft.helper);
  if (!helper.ok()) return helper.status();
  const bool direct = draft.introducer.empty();
  auto next = domain::Next(draft.state, direct ? Move::kAskHelper : Move::kAskIntroducer, mover);
  if (!next.ok()) return next.status();
  draft.state = *next;
  draft.ask_time = now;
  if (direct) draft.forward_time = now;
  draft.expire_time = now + domain::TimeToAnswer(rules, draft.urgency);
  draft.week_until = now + kWeek;
  ++helper->load.open_asks;
  ++helper->load.asks_this_week;
  if (auto put = tx.Put(pool, *helper); !put.ok()) return put.status();
  return tx.Put(pool, draft).status();
}

absl::Status End(WriteTransaction& tx, const std::string& pool, Move move, Mover mover,
                 std::optional<absl::Duration> cool_down, absl::Time now, Introduction& introduction,
                 domain::Member* helper) {
  auto next = domain::Next(introduction.state, move, mover);
  if (!next.ok()) return next.status();
  const bool held = introduction.IsOpen();
  introduction.state = *next;
  introduction.end_time = now;
  introduction.expire_time.reset();
  if (cool_down) introduction.cool_until = now + *cool_down;
  if (held) {
    std::optional<domain::Member> read;
    if (helper == nullptr) {
      auto found = tx.GetMember(pool, introduction.helper);
      if (!found.ok()) return found.status();
      read = *std::move(found);
      if (read) helper = &*read;
    }
    if (helper != nullptr) {
      helper->load.open_asks = std::max(0, helper->load.open_asks - 1);
      if (auto put = tx.Put(pool, *helper); !put.ok()) return put.status();
    }
  }
  return tx.Put(pool, introduction).status();
}

absl::Status AskNext(WriteTransaction& tx, const std::string& pool, const domain::IntroductionRules& rules,
                     const std::string& seeker, const std::string& ask, absl::Time now) {
  auto drafts = DraftsOf(tx, pool, seeker, ask);
  if (!drafts.ok()) return drafts.status();
  for (Introduction& draft : *drafts) {
    auto asks = AsksOf(tx, pool, seeker, now);
    if (!asks.ok()) return asks.status();
    if (std::any_of(asks->begin(), asks->end(), [&](const auto& i) { return i.ask == ask && i.IsOpen(); }))
      return absl::OkStatus();
    // The same words may go to the next target of one ask.
    std::erase_if(*asks, [&](const auto& i) { return i.ask == ask && i.helper != draft.helper && !i.Bars(); });
    auto refusals = StoreRefusals(tx, pool, draft, *asks, rules, now);
    if (!refusals.ok() && !absl::IsNotFound(refusals.status())) return refusals.status();
    if (refusals.ok()) {
      if (refusals->empty()) return Send(tx, pool, rules, Mover::kPool, now, draft);
      const auto spent = std::find_if(refusals->begin(), refusals->end(), [](const Refusal& r) {
        return r.reason == domain::ErrorReason::kSeekerBudgetSpent;
      });
      if (spent != refusals->end()) {
        // When one of the other asks ends is not known: look again in an hour.
        draft.expire_time = spent->free_time.value_or(now + absl::Hours(1));
        return tx.Put(pool, draft).status();
      }
    }
    if (auto status = End(tx, pool, Move::kWithdraw, Mover::kPool, std::nullopt, now, draft); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

absl::Status DropDrafts(WriteTransaction& tx, const std::string& pool, Move move, Mover mover,
                        const std::string& seeker, const std::string& ask, absl::Time now) {
  auto drafts = DraftsOf(tx, pool, seeker, ask);
  if (!drafts.ok()) return drafts.status();
  for (Introduction& draft : *drafts) {
    if (auto status = End(tx, pool, move, mover, std::nullopt, now, draft); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace warmline::application
