// What the people of a market do.
#include <absl/strings/str_cat.h>

#include <algorithm>

#include "application/ask_plan.h"
#include "application/inbox.h"
#include "application/introduction_moves.h"
#include "application/match_need.h"
#include "application/members.h"
#include "application/needs.h"
#include "simulation/market_world.h"

namespace warmline::simulation {
namespace {

using application::Caller;
using application::WriteTransaction;
using domain::Audience;
using domain::IntroductionState;

const Caller kOperator{Audience::kOperator, ""};
constexpr std::size_t kTargets = 3;  // of an ordered ask
constexpr std::size_t kMassTargets = 10;
constexpr int kAsksPerLook = 2;  // that a helper answers at once
constexpr int kInboxPage = 100;

}  // namespace

Market::Action Market::ActionOf(const Event& event) {
  switch (event.kind) {
    case Kind::kClose:
      return
          [this, id = event.id](WriteTransaction& tx) { return Close(tx, id, domain::CloseReason::kNoLongerLooking); };
    case Kind::kForward:
      return [this, id = event.id](WriteTransaction& tx) { return Forward(tx, id); };
    case Kind::kLook:
      return [this, id = event.id](WriteTransaction& tx) { return Look(tx, id); };
    default:
      return [this, id = event.id](WriteTransaction& tx) { return Conclude(tx, id); };
  }
}

absl::Status Market::Close(WriteTransaction& tx, const std::string& id, domain::CloseReason reason) {
  Need& need = needs_[id];
  if (need.closed) return absl::OkStatus();
  need.closed = true;
  seeking_.erase(need.seeker);
  return application::CloseNeed(tx, kOperator, kMarketPool, id, reason, clock_.now).status();
}

absl::Status Market::Forward(WriteTransaction& tx, const std::string& id) {
  auto found = tx.GetIntroduction(kMarketPool, id);
  if (!found.ok() || !found->has_value()) return found.status();
  const Caller caller{Audience::kIntroducer, (*found)->introducer};
  return people_.Forwards(Key(id)) ? application::Forward(tx, caller, kMarketPool, {id, 0, ""}, clock_.now).status()
                                   : application::Decline(tx, caller, kMarketPool, {id, 0, ""}, clock_.now).status();
}

absl::Status Market::Look(WriteTransaction& tx, const std::string& helper) {
  looking_.erase(helper);
  const Caller caller{Audience::kHelper, helper};
  if (people_.IsAble(helper)) {
    // Whoever means it comes back from a pause at once.
    auto member = application::FindMember(tx, kMarketPool, helper);
    if (!member.ok()) return member.status();
    if (member->offer->paused) {
      if (auto back = application::ConfirmOffer(tx, caller, kMarketPool, helper, clock_.now); !back.ok())
        return back.status();
    }
  }
  auto inbox = application::ReadInbox(tx, caller, kMarketPool,
                                      {.role = application::IntroductionQuery::Role::kHelper,
                                       .member = helper,
                                       .open_only = true,
                                       .limit = kInboxPage});
  if (!inbox.ok()) return inbox.status();
  auto& asks = inbox->introductions;
  std::erase_if(asks, [&](const auto& seen) {
    return seen.introduction.state != IntroductionState::kAwaitingHelper || ignored_.contains(seen.introduction.id);
  });
  if (options_.without == Without::kReciprocity) {
    std::sort(asks.begin(), asks.end(),
              [](const auto& x, const auto& y) { return x.introduction.id < y.introduction.id; });
  }
  int answered = 0;
  for (const auto& seen : asks) {
    const std::string& id = seen.introduction.id;
    if (answered++ == kAsksPerLook) {
      ScheduleLook(helper);
      break;
    }
    const Reply reply = people_.ReplyTo(helper, Key(id), AsksThisWeek(helper));
    absl::Status status;
    if (reply == Reply::kAccept) {
      status = application::Accept(tx, caller, kMarketPool, {id, 0, ""}, clock_.now).status();
    } else if (reply == Reply::kDecline) {
      status = application::Decline(tx, caller, kMarketPool, {id, 0, ""}, clock_.now).status();
    } else {
      ignored_.insert(id);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::int64_t Market::AsksThisWeek(const std::string& helper) {
  auto& times = asked_[helper];
  while (!times.empty() && times.front() <= clock_.now - absl::Hours(24 * 7)) times.pop_front();
  return static_cast<std::int64_t>(times.size());
}

void Market::ScheduleLook(const std::string& helper) {
  if (looking_.insert(helper).second) At(clock_.now + people_.TimeToLook(helper, looks_++), Kind::kLook, helper);
}

absl::Status Market::Conclude(WriteTransaction& tx, const std::string& id) {
  const Ask& ask = asks_[id];
  Need& need = needs_[ask.need];
  need.live.erase(id);
  const bool helps = people_.Helps(ask.helper, Key(id));
  if (helps) {
    givers_.insert(ask.helper);
    if (!need.helped) {
      need.helped = true;
      ledger_.NeedHelped(need.since);
    }
  } else {
    At(clock_.now, Kind::kSeek, ask.need);
  }
  const bool by_seeker = people_.Reports(Key(id));
  const Caller caller = by_seeker ? Caller{Audience::kSeeker, need.seeker} : Caller{Audience::kHelper, ask.helper};
  const auto outcome = helps || !by_seeker ? domain::OutcomeKind::kHelped : domain::OutcomeKind::kNotHelpful;
  auto reported = application::ReportOutcome(tx, caller, kMarketPool, {id, 0, ""}, outcome, clock_.now);
  if (!reported.ok() && !IsRefusal(reported.status())) return reported.status();
  return helps ? Close(tx, ask.need, domain::CloseReason::kFoundWork) : absl::OkStatus();
}

absl::Status Market::Seek(const std::string& id, std::vector<Action>& asks) {
  Need& need = needs_[id];
  if (need.closed || !need.live.empty()) return absl::OkStatus();
  const Caller caller{Audience::kSeeker, need.seeker};
  const bool mass = options_.without == Without::kEverything;
  auto answer = application::MatchNeed(pools_, caller, kMarketPool, {id, {}}, {.top_k = kMassTargets}, {});
  if (!answer.ok()) return IsRefusal(answer.status()) ? absl::OkStatus() : answer.status();
  const std::size_t wanted = mass ? kMassTargets : options_.without == Without::kOneThenTheNext ? 1 : kTargets;
  std::vector<application::AskTarget> targets;
  for (const auto& shown : answer->shown) {
    if (targets.size() < wanted) targets.push_back({shown.helper.id, shown.masked, "", "", false});
  }
  // Whoever finds nobody looks again.
  if (targets.empty()) At(clock_.now + kSeekerReturns, Kind::kSeek, id);
  while (!targets.empty()) {
    const std::size_t size = mass ? 1 : targets.size();
    const std::vector<application::AskTarget> now(targets.end() - static_cast<std::ptrdiff_t>(size), targets.end());
    targets.resize(targets.size() - size);
    const std::uint64_t round = need.rounds++;
    auto plan =
        application::PlanAsk(pools_, caller, kMarketPool, {id, {}}, now, people_.MessageOf(id, round), clock_.now);
    if (!plan.ok()) return plan.status();
    asks.emplace_back([this, id, round, plan = *std::move(plan)](WriteTransaction& tx) {
      auto made = application::RequestIntroduction(tx, kMarketPool, plan, absl::StrCat(id, "-ask-", round), clock_.now);
      if (!made.ok()) At(clock_.now + kSeekerReturns, Kind::kSeek, id);
      return made.status();
    });
  }
  return absl::OkStatus();
}

}  // namespace warmline::simulation
