// Random lives of introductions on a real store, with the clock in hand: parties move, time passes, members pause,
// block and leave. After every step what must always hold is counted anew from the records, plainly.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "application/ask_rules.h"
#include "application/introduction_moves.h"
#include "application/members.h"
#include "application/needs.h"
#include "application/pool_registry.h"
#include "application/pools.h"
#include "application/ties.h"
#include "base/rcu.h"
#include "storage/sqlite/store.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::testing {
namespace {

using application::Caller;
using domain::Audience;
using domain::Introduction;
using domain::IntroductionState;

const std::string kPool = "p";
constexpr int kMembers = 5;
const Caller kOperator{Audience::kOperator, ""};

class HandClock : public application::Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
};

std::string MemberId(int i) { return "m" + std::to_string(i); }

domain::Member MemberOf(int i, int open, int week) {
  domain::Member member;
  member.id = MemberId(i);
  member.kind = domain::MemberKind::kPerson;
  member.display_name = member.id;
  member.interests = {{"skill:sql", "skill:sql", 1.0}};
  member.introduces = true;
  domain::Offer offer;
  offer.help_kinds = {domain::HelpKind::kAdvice};
  offer.capacity = {open, week};
  offer.languages = {"en"};
  offer.open_to = {i % 2 == 0 ? domain::Reach::kPool : domain::Reach::kSecondDegree};
  offer.involvement = domain::Involvement::kRecruiter;
  member.offer = offer;
  return member;
}

class World {
 public:
  World() {
    directory_ = ::testing::TempDir() + "warmline-asks-XXXXXX";
    RC_ASSERT(mkdtemp(directory_.data()) != nullptr);
    auto opened = storage::sqlite::Store::Open({.path = directory_ + "/warmline.db"});
    RC_ASSERT(opened.ok());
    store_ = *std::move(opened);
    pools_ = std::make_unique<application::PoolRegistry>(*store_, clock, metrics_);
  }
  ~World() {
    pools_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // Runs one write as the queue would; its error is undone and given back.
  absl::Status Write(const std::function<absl::Status(application::WriteTransaction&)>& run) {
    auto tx = store_->Begin();
    RC_ASSERT(tx.ok());
    RC_ASSERT((*tx)->BeginItem().ok());
    const absl::Status status = run(**tx);
    RC_ASSERT((status.ok() ? (*tx)->EndItem() : (*tx)->RollbackItem()).ok());
    RC_ASSERT((*tx)->Commit().ok());
    const application::PoolRegistry::Changes changes = (*tx)->changes();
    tx->reset();
    pools_->Apply(changes);
    return status;
  }

  void Make() {
    domain::Pool pool;
    pool.id = kPool;
    pool.display_name = "P";
    rules.seeker_open_asks = *rc::gen::inRange(1, 4);
    rules.seeker_asks_per_week = *rc::gen::inRange(2, 7);
    rules.introducer_asks_per_week = *rc::gen::inRange(1, 4);
    rules.cool_down = absl::Hours(24 * *rc::gen::inRange(1, 20));
    rules.silent_asks_to_pause = *rc::gen::inRange(1, 4);
    pool.policy.introductions = rules;
    pool.policy.second_degree_visibility = domain::Visibility::kNamed;
    RC_ASSERT(Write([&](auto& tx) { return application::CreatePool(tx, pool, clock.now).status(); }).ok());
    RC_ASSERT(Write([&](auto& tx) -> absl::Status {
                for (int i = 0; i < kMembers; ++i) {
                  auto made = application::CreateMember(
                      tx, kOperator, kPool, MemberOf(i, *rc::gen::inRange(1, 4), *rc::gen::inRange(1, 6)), clock.now);
                  if (!made.ok()) return made.status();
                  if (auto ok = application::ConfirmOffer(tx, kOperator, kPool, made->id, clock.now); !ok.ok())
                    return ok.status();
                }
                for (int a = 0; a < kMembers; ++a) {
                  for (int b = a + 1; b < kMembers; ++b) {
                    if (*rc::gen::inRange(0, 2) == 0) continue;
                    domain::Connection tie = {MemberId(a), MemberId(b), 0.5, {}, "", 0};
                    if (auto made = application::CreateConnection(tx, kOperator, kPool, tie); !made.ok())
                      return made.status();
                  }
                }
                return absl::OkStatus();
              }).ok());
  }

  std::vector<Introduction> All() {
    auto reader = store_->Read();
    RC_ASSERT(reader.ok());
    auto all = (*reader)->ListIntroductions(kPool, {.limit = 10'000});
    RC_ASSERT(all.ok());
    return *all;
  }
  std::optional<domain::Member> Member(const std::string& id) {
    auto reader = store_->Read();
    RC_ASSERT(reader.ok());
    return *(*reader)->GetMember(kPool, id);
  }
  void RunTimers() {
    while (true) {
      auto reader = store_->Read();
      RC_ASSERT(reader.ok());
      auto due = (*reader)->ListDueIntroductions(clock.now, 100);
      RC_ASSERT(due.ok());
      reader->reset();
      if (due->empty()) return;
      for (const auto& [pool, id] : *due) {
        const std::string which = id;
        RC_ASSERT(Write([&](auto& tx) { return application::MakeDueMoves(tx, kPool, which, clock.now); }).ok());
        // A second replica that comes late changes nothing.
        const auto before = All();
        RC_ASSERT(Write([&](auto& tx) { return application::MakeDueMoves(tx, kPool, which, clock.now); }).ok());
        RC_ASSERT(before.size() == All().size());
      }
    }
  }

  absl::StatusOr<application::AskPlan> Plan(const std::string& seeker, const std::vector<std::string>& helpers,
                                            const std::string& message) {
    domain::Need need;
    need.seeker = seeker;
    need.help_kinds = {domain::HelpKind::kAdvice};
    need.interests = {{"skill:sql", "skill:sql", 1.0}};
    need.urgency = *rc::gen::element(domain::Urgency::kLow, domain::Urgency::kNormal, domain::Urgency::kImmediate);
    std::vector<application::AskTarget> targets;
    for (const std::string& helper : helpers) targets.push_back({helper, false, "", "", false});
    return application::PlanAsk(*pools_, {Audience::kOperator, ""}, kPool, {"", need}, targets, message, clock.now);
  }

  // Whether the index bars the pair, by each of the two rules.
  std::pair<bool, bool> Barred(const application::PoolRegistry& pools, const std::string& seeker,
                               const std::string& helper) {
    const base::RcuReadGuard guard;
    const index::View* view = pools.Find(kPool);
    const auto s = view->tables->members.Find(seeker);
    const auto h = view->tables->members.Find(helper);
    if (!s || !h) return {false, false};
    const auto barred = view->tables->members.facts(*s).Read(view->sequence).barred;
    const auto holds = [&](bool open) {
      return std::binary_search(barred.begin(), barred.end(), network::AskBar(*h, open));
    };
    return {holds(true), holds(false)};
  }

  void Check() {
    const std::vector<Introduction> all = All();
    std::map<std::string, int> open_of_helper;
    std::map<std::string, int> week_of_helper;
    std::map<std::string, int> open_of_seeker;
    std::map<std::string, int> live_of_ask;
    std::map<std::pair<std::string, std::string>, std::pair<int, int>> bars;
    for (const Introduction& i : all) {
      if (i.IsOpen()) {
        ++open_of_helper[i.helper];
        ++open_of_seeker[i.seeker];
        ++live_of_ask[i.ask];
        RC_ASSERT(i.expire_time.has_value());
        RC_ASSERT(*i.expire_time > clock.now);  // the timers have run
      }
      if (i.week_until) ++week_of_helper[i.helper];
      RC_ASSERT(!i.week_until || *i.week_until > clock.now);
      RC_ASSERT(!i.HasEnded() || i.end_time.has_value());
      auto& [open, cooling] = bars[{i.seeker, i.helper}];
      open += i.IsOpen() ? 1 : 0;
      cooling += i.cool_until && !i.IsOpen() ? 1 : 0;
    }
    for (int m = 0; m < kMembers; ++m) {
      const auto member = Member(MemberId(m));
      if (!member) continue;
      RC_ASSERT(member->load.open_asks == open_of_helper[member->id]);
      RC_ASSERT(member->load.asks_this_week == week_of_helper[member->id]);
      RC_ASSERT(member->load.open_asks <= member->offer->capacity.open_asks);
      RC_ASSERT(member->load.asks_this_week <= member->offer->capacity.asks_per_week);
      RC_ASSERT(open_of_seeker[member->id] <= rules.seeker_open_asks);
    }
    for (const auto& [ask, live] : live_of_ask) RC_ASSERT(live == 1);
    application::PoolRegistry fresh(*store_, clock, metrics_);
    RC_ASSERT(fresh.Load().ok());
    for (const auto& [pair, count] : bars) {
      RC_ASSERT(count.first <= 1);
      const std::pair<bool, bool> expected = {count.first > 0, count.second > 0};
      RC_ASSERT(Barred(*pools_, pair.first, pair.second) == expected);
      RC_ASSERT(Barred(fresh, pair.first, pair.second) == expected);
    }
  }

  HandClock clock;
  domain::IntroductionRules rules;

 private:
  std::string directory_;
  telemetry::PrometheusMetrics metrics_{"test"};
  std::unique_ptr<storage::sqlite::Store> store_;
  std::unique_ptr<application::PoolRegistry> pools_;
};

// One step of somebody; what the state machine refuses must be what its table refuses.
void Step(World& world, int number, std::set<std::string>& moved) {
  const std::vector<Introduction> all = world.All();
  const absl::Time now = world.clock.now;
  const int what = *rc::gen::inRange(0, 20);
  if (what < 6 || all.empty()) {
    const std::string seeker = MemberId(*rc::gen::inRange(0, kMembers));
    std::set<std::string> helpers;
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) helpers.insert(MemberId(*rc::gen::inRange(0, kMembers)));
    helpers.erase(seeker);
    if (helpers.empty()) return;
    std::string message = "number " + std::to_string(number) + " of all asks";
    for (int w = 0; w < 12; ++w) message += " w" + std::to_string(number * 100 + w);
    const auto plan = world.Plan(seeker, {helpers.begin(), helpers.end()}, message);
    if (!plan.ok()) return;
    const std::string id = "request-" + std::to_string(number);
    (void)world.Write([&](auto& tx) { return application::RequestIntroduction(tx, kPool, *plan, id, now).status(); });
    return;
  }
  if (what < 15) {
    const Introduction in = all[*rc::gen::inRange<std::size_t>(0, all.size())];
    struct Kind {
      domain::Move move;
      Audience audience;
      const std::string& who;
    };
    const Kind kinds[] = {{domain::Move::kForward, Audience::kIntroducer, in.introducer},
                          {domain::Move::kAccept, Audience::kHelper, in.helper},
                          {domain::Move::kDecline, Audience::kHelper, in.helper},
                          {domain::Move::kDecline, Audience::kIntroducer, in.introducer},
                          {domain::Move::kAskMore, Audience::kHelper, in.helper},
                          {domain::Move::kAnswer, Audience::kSeeker, in.seeker},
                          {domain::Move::kCancel, Audience::kSeeker, in.seeker},
                          {domain::Move::kReportOutcome, Audience::kSeeker, in.seeker},
                          {domain::Move::kReportOutcome, Audience::kHelper, in.helper}};
    const Kind kind = kinds[*rc::gen::inRange<std::size_t>(0, std::size(kinds))];
    const Caller caller{kind.audience, kind.who};
    const application::MoveInput input{in.id, 0, "a word or two"};
    const absl::Status status = world.Write([&](application::WriteTransaction& tx) -> absl::Status {
      switch (kind.move) {
        case domain::Move::kForward:
          return application::Forward(tx, caller, kPool, input, now).status();
        case domain::Move::kAccept:
          return application::Accept(tx, caller, kPool, input, now).status();
        case domain::Move::kDecline:
          return application::Decline(tx, caller, kPool, input, now).status();
        case domain::Move::kAskMore:
          return application::AskMore(tx, caller, kPool, input, now).status();
        case domain::Move::kAnswer:
          return application::Answer(tx, caller, kPool, input, now).status();
        case domain::Move::kCancel:
          return application::Cancel(tx, caller, kPool, input, now).status();
        default:
          return application::ReportOutcome(tx, caller, kPool, input, domain::OutcomeKind::kHelped, now).status();
      }
    });
    const domain::Viewer viewer = domain::ViewerOf(in, kind.who);
    const bool has_part = (viewer == domain::Viewer::kSeeker && kind.audience == Audience::kSeeker) ||
                          (viewer == domain::Viewer::kIntroducer && kind.audience == Audience::kIntroducer) ||
                          (viewer == domain::Viewer::kHelper && kind.audience == Audience::kHelper);
    const auto mover = kind.audience == Audience::kSeeker       ? domain::Mover::kSeeker
                       : kind.audience == Audience::kIntroducer ? domain::Mover::kIntroducer
                                                                : domain::Mover::kHelper;
    const bool legal = has_part && domain::Next(in.state, kind.move, mover).ok();
    const bool full = kind.move == domain::Move::kAskMore && in.exchanges.size() >= 10;
    RC_ASSERT(status.ok() == (legal && !full));
    if (status.ok()) moved.insert(domain::MoveName(kind.move));
    return;
  }
  if (what < 18) {
    world.clock.now += absl::Hours(*rc::gen::element(1, 12, 30, 200, 700, 2'000));
    return;
  }
  const std::string who = MemberId(*rc::gen::inRange(0, kMembers));
  if (what == 18) {
    const auto member = world.Member(who);
    if (!member) return;
    domain::Member changed = *member;
    changed.revision = 0;
    changed.offer->paused = !changed.offer->paused;
    RC_ASSERT(
        world
            .Write([&](auto& tx) {
              return application::UpdateMember(tx, {Audience::kHelper, who}, kPool, changed, {"offer"}, now).status();
            })
            .ok());
    return;
  }
  const std::string whom = MemberId(*rc::gen::inRange(0, kMembers));
  if (who != whom && *rc::gen::inRange(0, 2) == 0) {
    (void)world.Write([&](auto& tx) {
      return application::CreateBlock(tx, kOperator, kPool, {who, whom}, now).status();
    });
  } else if (*rc::gen::inRange(0, 3) == 0) {
    (void)world.Write([&](auto& tx) { return application::EraseMember(tx, kOperator, kPool, who, now).status(); });
    for (const Introduction& i : world.All()) RC_ASSERT(i.seeker != who && i.helper != who && i.introducer != who);
  }
}

RC_GTEST_PROP(Introductions, WhateverHappensPlacesBudgetsAndBarsAddUp, ()) {
  World world;
  world.Make();
  std::set<std::string> moved;
  const int steps = *rc::gen::inRange(5, 60);
  for (int i = 0; i < steps; ++i) {
    Step(world, i, moved);
    world.RunTimers();
    world.Check();
  }
  for (const char* move : {"forward", "accept", "decline", "ask-more", "answer", "cancel", "report-outcome"})
    RC_CLASSIFY(moved.contains(move), move);
}

}  // namespace
}  // namespace warmline::testing
