#include "simulation/market.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <algorithm>

#include "application/introduction_moves.h"
#include "application/members.h"
#include "application/needs.h"
#include "application/pools.h"
#include "application/refresh_statistics.h"
#include "simulation/market_world.h"

namespace warmline::simulation {
namespace {

using application::Caller;
using application::WriteTransaction;
using domain::Audience;
using domain::IntroductionState;
using domain::Part;

const Caller kOperator{Audience::kOperator, ""};
constexpr absl::Duration kDay = absl::Hours(24);
// The clock moves by this; what happens within a step happens at its end.
constexpr absl::Duration kStep = absl::Hours(6);
constexpr absl::Duration kNeedLives = absl::Hours(24 * 30);
constexpr absl::Duration kHelpTakes = absl::Hours(24 * 5);
constexpr std::int64_t kMembersPerNeed = 300;        // a need a day for so many members
constexpr std::int64_t kMembersPerNewcomer = 2'000;  // the same of newcomers
constexpr int kDaysOfStatistics = 30;
constexpr int kDueAtOnce = 5'000;

void Drop(Part part, domain::Weights& weights) {
  weights[static_cast<std::size_t>(Part::kInterests)] += weights[static_cast<std::size_t>(part)];
  weights[static_cast<std::size_t>(part)] = 0;
}

domain::Policy PolicyOf(Without without) {
  domain::Policy policy;
  if (without == Without::kEvidence) {
    Drop(Part::kHelpfulness, policy.weights);
    Drop(Part::kResponsiveness, policy.weights);
  } else if (without == Without::kFairLoad) {
    Drop(Part::kAvailability, policy.weights);
  } else if (without == Without::kExploration) {
    Drop(Part::kExploration, policy.weights);
  } else if (without == Without::kSilencePause) {
    policy.introductions.silent_asks_to_pause = 100;
  } else if (without == Without::kEverything) {
    for (int part = 1; part < domain::kParts; ++part) Drop(static_cast<Part>(part), policy.weights);
    policy.introductions.silent_asks_to_pause = 100;
    policy.introductions.seeker_open_asks = 1'000;
    policy.introductions.seeker_asks_per_week = 1'000;
    policy.introductions.cool_down = absl::Seconds(1);
  }
  return policy;
}

}  // namespace

bool IsRefusal(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsResourceExhausted(status) || absl::IsNotFound(status) ||
         absl::IsAlreadyExists(status) || absl::IsPermissionDenied(status);
}

absl::StatusOr<MarketReport> Market::Play(const std::function<bool(int)>& progress) {
  if (auto status = Open(); !status.ok()) return status;
  for (int day = 0; day < options_.days; ++day) {
    if (auto status = PlayDay(day); !status.ok()) return status;
    if (!progress(day)) return absl::CancelledError("the simulation was stopped");
  }
  return ledger_.Report(clock_.now);
}

absl::Status Market::Write(const std::vector<Action>& actions) {
  if (actions.empty()) return absl::OkStatus();
  auto tx = store_.Begin({.pools = {kMarketPool}, .reads = {}});
  if (!tx.ok()) return tx.status();
  for (const Action& action : actions) {
    if (auto status = (*tx)->BeginItem(); !status.ok()) return status;
    absl::Status done = action(**tx);
    if (!done.ok() && !IsRefusal(done)) return done;
    if (auto status = done.ok() ? (*tx)->EndItem() : (*tx)->RollbackItem(); !status.ok()) return status;
  }
  if (auto status = (*tx)->Commit(); !status.ok()) return status;
  const application::PoolRegistry::Changes changes = (*tx)->changes();
  tx->reset();
  pools_.Apply(changes);
  for (const auto& [pool, change] : changes) {
    if (const auto* moved = std::get_if<domain::IntroductionChanged>(&change.body)) Follow(*moved);
  }
  return absl::OkStatus();
}

absl::Status Market::Open() {
  domain::Pool pool;
  pool.id = kMarketPool;
  pool.display_name = "A simulated market";
  pool.policy = PolicyOf(options_.without);
  if (auto status =
          Write({[&](WriteTransaction& tx) { return application::CreatePool(tx, pool, clock_.now).status(); }});
      !status.ok())
    return status;
  std::vector<Action> joins;
  for (; members_ < options_.members; ++members_) Join(members_, false, joins);
  if (auto status = Write(joins); !status.ok()) return status;
  return CountStatistics();
}

absl::Status Market::CountStatistics() {
  return Write(
      {[&](WriteTransaction& tx) { return application::RefreshStatistics(tx, pools_, kMarketPool).status(); }});
}

void Market::Join(std::int64_t number, bool newcomer, std::vector<Action>& actions) {
  const domain::Member member = people_.MemberAt(number, clock_.now);
  ledger_.HelperJoined(member.id, people_.IsAble(member.id), newcomer, clock_.now);
  for (domain::Connection& tie : people_.TiesOf(number)) {
    std::int64_t a = 0;
    std::int64_t b = 0;
    if (absl::SimpleAtoi(tie.a.substr(1), &a) && absl::SimpleAtoi(tie.b.substr(1), &b))
      ties_[std::max(a, b)].push_back(std::move(tie));
  }
  std::vector<domain::Connection> ties;
  if (const auto found = ties_.find(number); found != ties_.end()) {
    ties = std::move(found->second);
    ties_.erase(found);
  }
  actions.emplace_back([this, member, ties = std::move(ties)](WriteTransaction& tx) mutable -> absl::Status {
    auto made = application::CreateMember(tx, kOperator, kMarketPool, member, clock_.now);
    if (!made.ok()) return made.status();
    auto confirmed = application::ConfirmOffer(tx, {Audience::kHelper, member.id}, kMarketPool, member.id, clock_.now);
    if (!confirmed.ok()) return confirmed.status();
    for (domain::Connection& tie : ties) {
      if (auto put = tx.Put(kMarketPool, tie); !put.ok()) return put.status();
    }
    return absl::OkStatus();
  });
}

absl::Status Market::PlayDay(int day) {
  std::vector<Action> arrivals;
  for (std::int64_t i = 0; i < std::max<std::int64_t>(1, options_.members / kMembersPerNewcomer); ++i) {
    if (members_ < 2 * options_.members) Join(members_++, true, arrivals);
  }
  for (std::int64_t i = 0; i < std::max<std::int64_t>(1, options_.members / kMembersPerNeed); ++i) Arrive(arrivals);
  if (auto status = Write(arrivals); !status.ok()) return status;
  if (day % kDaysOfStatistics == kDaysOfStatistics - 1) {
    if (auto status = CountStatistics(); !status.ok()) return status;
  }
  for (absl::Duration time; time < kDay; time += kStep) {
    if (auto status = PlayStep(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void Market::Arrive(std::vector<Action>& arrivals) {
  domain::Need need = people_.NeedAt(need_++, members_);
  if (seeking_.contains(need.seeker)) return;
  Need& known = needs_[need.id];
  known.seeker = need.seeker;
  known.since = clock_.now;
  known.by_giver = givers_.contains(need.seeker);
  seeking_[need.seeker] = need.id;
  ledger_.NeedArose(known.by_giver, clock_.now);
  At(clock_.now, Kind::kSeek, need.id);
  At(clock_.now + kNeedLives, Kind::kClose, need.id);
  arrivals.emplace_back([this, need](WriteTransaction& tx) {
    return application::CreateNeed(tx, kOperator, kMarketPool, need, clock_.now).status();
  });
}

absl::Status Market::PlayStep() {
  clock_.now += kStep;
  pools_.Maintain();
  while (pools_.MergeSegments()) {
  }
  (void)pools_.SweepDictionaries();
  std::vector<Action> due;
  {
    auto reader = store_.Read();
    if (!reader.ok()) return reader.status();
    auto found = (*reader)->ListDueIntroductions(clock_.now, kDueAtOnce);
    if (!found.ok()) return found.status();
    for (const auto& [pool, id] : *found) {
      due.emplace_back(
          [this, id = id](WriteTransaction& tx) { return application::MakeDueMoves(tx, kMarketPool, id, clock_.now); });
    }
  }
  if (auto status = Write(due); !status.ok()) return status;
  std::vector<Action> moves;
  std::vector<std::string> seekers;
  while (!events_.empty() && events_.top().time <= clock_.now) {
    const Event event = events_.top();
    events_.pop();
    if (event.kind == Kind::kSeek) {
      seekers.push_back(event.id);
    } else {
      moves.push_back(ActionOf(event));
    }
  }
  if (auto status = Write(moves); !status.ok()) return status;
  std::vector<Action> asks;
  for (const std::string& need : seekers) {
    if (auto status = Seek(need, asks); !status.ok()) return status;
  }
  return Write(asks);
}

void Market::Follow(const domain::IntroductionChanged& moved) {
  Ask& ask = asks_[moved.id];
  if (ask.helper.empty()) {
    const auto seeking = seeking_.find(moved.seeker);
    if (seeking == seeking_.end()) return;
    ask.need = seeking->second;
    ask.helper = moved.helper;
  }
  Need& need = needs_[ask.need];
  switch (moved.state) {
    case IntroductionState::kDrafted:
    case IntroductionState::kAwaitingSeeker:
      return;
    case IntroductionState::kAwaitingIntroducer:
      if (moved.more_open == 1) At(clock_.now + people_.TimeToForward(Key(moved.id)), Kind::kForward, moved.id);
      need.live.insert(moved.id);
      return;
    case IntroductionState::kAwaitingHelper:
      need.live.insert(moved.id);
      if (ask.reached) return;
      ask.reached = clock_.now;
      asked_[ask.helper].push_back(clock_.now);
      ledger_.AskReached(ask.helper, clock_.now);
      ScheduleLook(ask.helper);
      return;
    case IntroductionState::kAccepted:
      if (ask.answered) return;
      ask.answered = true;
      if (!need.answered) ledger_.NeedAnswered(need.by_giver, need.since, clock_.now);
      need.answered = true;
      At(clock_.now + kHelpTakes, Kind::kOutcome, moved.id);
      return;
    default:
      if (moved.state == IntroductionState::kDeclined) ask.answered = true;
      if (moved.state == IntroductionState::kExpired && ask.reached && !ask.answered) {
        ledger_.AskUnanswered(*ask.reached);
        ask.answered = true;
      }
      if (need.live.erase(moved.id) == 0 || !need.live.empty() || need.closed) return;
      At(clock_.now + (options_.without == Without::kOneThenTheNext ? kSeekerReturns : absl::ZeroDuration()),
         Kind::kSeek, ask.need);
  }
}

std::string Market::Key(const std::string& id) const {
  const Ask& ask = asks_.at(id);
  return absl::StrCat(ask.need, "/", ask.helper);
}
const char* NameOf(Without without) {
  constexpr const char* kNames[] = {"nothing",       "evidence",      "fair-load",   "exploration",
                                    "one-then-next", "silence-pause", "reciprocity", "everything"};
  return kNames[static_cast<std::size_t>(without)];
}

absl::StatusOr<MarketReport> SimulateMarket(application::RecordStore& store, application::Metrics& metrics,
                                            const MarketOptions& options, const std::function<bool(int)>& progress) {
  return Market(store, metrics, options).Play(progress);
}

}  // namespace warmline::simulation
