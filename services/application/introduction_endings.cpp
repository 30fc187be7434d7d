// What the pool itself does to introductions: by time, and when somebody leaves, pauses or blocks.
#include <algorithm>

#include "application/ask_rules.h"
#include "application/introduction_moves.h"
#include "application/introduction_steps.h"
#include "application/outcome_evidence.h"
#include "application/pools.h"
#include "domain/limits.h"

namespace warmline::application {
namespace {

using domain::Introduction;
using domain::IntroductionState;
using domain::Move;
using domain::Mover;
using Role = IntroductionQuery::Role;

// Introductions that are read at a time.
constexpr int kPage = 500;

// An ask that the helper let expire: evidence; after some, a reminder; in the end a pause, which one call undoes.
absl::Status CountSilence(WriteTransaction& tx, const std::string& pool, const domain::IntroductionRules& rules,
                          absl::Time now, Introduction& introduction, domain::Member& helper) {
  ++helper.silent_asks;
  std::optional<domain::NoticeKind> notice;
  if (helper.offer && !helper.offer->paused) {
    if (helper.silent_asks >= rules.silent_asks_to_pause) {
      helper.offer->paused = true;
      notice = domain::NoticeKind::kPaused;
    } else if (helper.silent_asks == rules.silent_asks_to_remind) {
      notice = domain::NoticeKind::kReminder;
    }
  }
  if (notice) {
    auto told = tx.Put(pool, domain::Notice{*notice, helper.id, introduction.id, std::nullopt});
    if (!told.ok()) return told.status();
  }
  return CountOutcome(tx, pool, rules, domain::OutcomeKind::kNoReply, now, introduction, helper);
}

absl::Status Expire(WriteTransaction& tx, const std::string& pool, const domain::IntroductionRules& rules,
                    absl::Time now, Introduction& introduction) {
  const bool silent = introduction.state == IntroductionState::kAwaitingHelper;
  const bool accepted = introduction.state == IntroductionState::kAccepted;
  auto helper = tx.GetMember(pool, introduction.helper);
  if (!helper.ok()) return helper.status();
  // Whoever answered a question late was not silent before.
  if (silent && helper->has_value() && !introduction.answer_time) {
    if (auto status = CountSilence(tx, pool, rules, now, introduction, **helper); !status.ok()) return status;
  }
  const auto cool_down = accepted ? std::nullopt : std::optional(rules.cool_down);
  domain::Member* at_hand = helper->has_value() ? &**helper : nullptr;
  if (auto status = End(tx, pool, Move::kExpire, Mover::kPool, cool_down, now, introduction, at_hand); !status.ok())
    return status;
  if (accepted) return absl::OkStatus();
  return AskNext(tx, pool, rules, introduction.seeker, introduction.ask, now);
}

absl::Status LeaveWeek(WriteTransaction& tx, const std::string& pool, Introduction& introduction) {
  introduction.week_until.reset();
  auto helper = tx.GetMember(pool, introduction.helper);
  if (!helper.ok()) return helper.status();
  if (helper->has_value()) {
    (*helper)->load.asks_this_week = std::max(0, (*helper)->load.asks_this_week - 1);
    if (auto put = tx.Put(pool, **helper); !put.ok()) return put.status();
  }
  return tx.Put(pool, introduction).status();
}

// Calls `each` with every introduction that the query finds, a page at a time.
template <typename Each>
absl::Status ForEach(WriteTransaction& tx, const std::string& pool, IntroductionQuery query, Each each) {
  query.limit = kPage;
  while (true) {
    auto page = tx.ListIntroductions(pool, query);
    if (!page.ok()) return page.status();
    for (Introduction& introduction : *page) {
      if (auto status = each(introduction); !status.ok()) return status;
    }
    if (page->size() < kPage) return absl::OkStatus();
    query.after = page->back().id;
  }
}

// Those of a member in a role that have not ended: drafts, and open ones.
template <typename Each>
absl::Status ForEachLive(WriteTransaction& tx, const std::string& pool, Role role, const std::string& member,
                         Each each) {
  auto status = ForEach(tx, pool, {.role = role, .member = member, .drafts_only = true}, each);
  if (!status.ok()) return status;
  return ForEach(tx, pool, {.role = role, .member = member, .open_only = true}, each);
}

// Ends what is open or drafted, and goes on with the ask where the seeker stays.
absl::Status Close(WriteTransaction& tx, const std::string& pool, const domain::IntroductionRules& rules, Move move,
                   bool go_on, absl::Time now, Introduction& introduction) {
  if (introduction.HasEnded()) return absl::OkStatus();
  const bool was_open = introduction.IsOpen();
  if (auto status = End(tx, pool, move, Mover::kPool, std::nullopt, now, introduction); !status.ok()) return status;
  if (!was_open || !go_on) return absl::OkStatus();
  return AskNext(tx, pool, rules, introduction.seeker, introduction.ask, now);
}

}  // namespace

absl::Status MakeDueMoves(WriteTransaction& tx, const std::string& pool, const std::string& id, absl::Time now) {
  auto found = tx.GetIntroduction(pool, id);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return absl::OkStatus();  // erased meanwhile
  Introduction& introduction = **found;
  auto rules = RulesOf(tx, pool);
  if (!rules.ok()) return rules.status();
  const auto is_due = [&](const std::optional<absl::Time>& time) { return time && *time <= now; };
  if (is_due(introduction.week_until)) {
    if (auto status = LeaveWeek(tx, pool, introduction); !status.ok()) return status;
  }
  if (is_due(introduction.cool_until)) {
    introduction.cool_until.reset();
    if (auto put = tx.Put(pool, introduction); !put.ok()) return put.status();
  }
  if (introduction.HasEnded() || !is_due(introduction.expire_time)) return absl::OkStatus();
  if (introduction.IsOpen()) return Expire(tx, pool, *rules, now, introduction);
  return AskNext(tx, pool, *rules, introduction.seeker, introduction.ask, now);
}

absl::Status CloseBetween(WriteTransaction& tx, const std::string& pool, const std::string& a, const std::string& b,
                          absl::Time now) {
  auto rules = RulesOf(tx, pool);
  if (!rules.ok()) return rules.status();
  for (const auto& [seeker, other] : {std::pair(a, b), std::pair(b, a)}) {
    auto status = ForEachLive(tx, pool, Role::kSeeker, seeker, [&, &whom = other](Introduction& i) {
      if (i.helper == whom) return Close(tx, pool, *rules, Move::kBlock, true, now, i);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CloseAllOf(WriteTransaction& tx, const std::string& pool, const std::string& member, absl::Time now) {
  auto rules = RulesOf(tx, pool);
  if (!rules.ok()) return rules.status();
  // As seeker first, so that nothing goes on in their name.
  auto status = ForEachLive(tx, pool, Role::kSeeker, member,
                            [&](Introduction& i) { return Close(tx, pool, *rules, Move::kWithdraw, false, now, i); });
  if (!status.ok()) return status;
  status = ForEachLive(tx, pool, Role::kHelper, member,
                       [&](Introduction& i) { return Close(tx, pool, *rules, Move::kWithdraw, true, now, i); });
  if (!status.ok()) return status;
  return ForEachLive(tx, pool, Role::kIntroducer, member, [&](Introduction& i) -> absl::Status {
    if (i.state != IntroductionState::kAwaitingIntroducer) return absl::OkStatus();
    return Close(tx, pool, *rules, Move::kWithdraw, true, now, i);
  });
}

absl::Status CloseUnansweredAsksTo(WriteTransaction& tx, const std::string& pool, const std::string& helper,
                                   absl::Time now) {
  auto rules = RulesOf(tx, pool);
  if (!rules.ok()) return rules.status();
  return ForEach(tx, pool, {.role = Role::kHelper, .member = helper, .open_only = true}, [&](Introduction& i) {
    if (i.state == IntroductionState::kAccepted) return absl::OkStatus();
    return Close(tx, pool, *rules, Move::kWithdraw, true, now, i);
  });
}

absl::Status CloseAsksFor(WriteTransaction& tx, const std::string& pool, const domain::Need& need, absl::Time now) {
  auto rules = RulesOf(tx, pool);
  if (!rules.ok()) return rules.status();
  return ForEachLive(tx, pool, Role::kSeeker, need.seeker, [&](Introduction& i) {
    if (i.need_id != need.id || i.state == IntroductionState::kAccepted) return absl::OkStatus();
    return Close(tx, pool, *rules, Move::kWithdraw, false, now, i);
  });
}

absl::Status PrepareErasure(WriteTransaction& tx, const std::string& pool, const std::string& member, absl::Time now) {
  auto status = ForEach(tx, pool, {.role = Role::kSeeker, .member = member, .asked_since = now - kWeek},
                        [&](Introduction& i) { return i.week_until ? LeaveWeek(tx, pool, i) : absl::OkStatus(); });
  if (!status.ok()) return status;
  return ForEach(tx, pool, {.role = Role::kIntroducer, .member = member}, [&](Introduction& i) {
    i.introducer.clear();
    i.introducer_note.clear();
    std::erase_if(i.reports, [&](const domain::AbuseReport& r) { return r.reporter == member || r.accused == member; });
    return tx.Put(pool, i).status();
  });
}

}  // namespace warmline::application
