// The figures of a market, each counted by hand.
#include "application/market_health.h"

#include <gtest/gtest.h>

namespace warmline::application {
namespace {

using domain::IntroductionState;
using domain::OutcomeKind;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);
absl::Time DaysAgo(double days) { return kNow - absl::Hours(24 * days); }

TEST(Gini, IsNothingForEqualsAndNearlyOneForOneWhoHasAll) {
  EXPECT_DOUBLE_EQ(Gini({}), 0);
  EXPECT_DOUBLE_EQ(Gini({0, 0}), 0);
  EXPECT_NEAR(Gini({5, 5, 5, 5}), 0, 1e-12);
  EXPECT_NEAR(Gini({0, 0, 0, 8}), 0.75, 1e-12);
  EXPECT_NEAR(Gini({1, 3}), 0.25, 1e-12);
  EXPECT_NEAR(Gini({3, 1}), 0.25, 1e-12);
}

domain::Need NeedOf(const std::string& id, const std::string& seeker, absl::Time made, const std::string& interest) {
  domain::Need need;
  need.id = id;
  need.seeker = seeker;
  need.create_time = made;
  need.interests.push_back({interest, interest, 1});
  return need;
}

domain::Introduction AskOf(const std::string& need, const std::string& helper, absl::Time asked,
                           IntroductionState state) {
  domain::Introduction i;
  i.need_id = need;
  i.helper = helper;
  i.seeker = "s";
  i.state = state;
  i.ask_time = asked;
  i.forward_time = asked;
  return i;
}

domain::Introduction Answered(domain::Introduction i, absl::Duration after) {
  i.answer_time = *i.ask_time + after;
  return i;
}

domain::Member HelperOf(const std::string& id, const std::string& interest, absl::Time came, int helped = 0) {
  domain::Member member;
  member.id = id;
  member.offer.emplace();
  member.create_time = came;
  member.interests.push_back({interest, interest, 1});
  if (helped > 0) member.evidence.push_back({OutcomeKind::kHelped, helped, DaysAgo(3), absl::Hours(4)});
  return member;
}

TEST(MarketCount, NeedsWaitAndAreAnsweredInTime) {
  domain::Pool pool;
  MarketCount count(pool, kNow);
  count.Add(NeedOf("waits", "a", DaysAgo(20), "skill:sql"));
  count.Add(NeedOf("young", "b", DaysAgo(2), "skill:sql"));
  count.Add(NeedOf("in-time", "c", DaysAgo(30), "skill:sql"));
  count.Add(NeedOf("late", "d", DaysAgo(40), "skill:sql"));
  domain::Need old = NeedOf("old", "e", DaysAgo(60), "skill:sql");
  old.state = domain::NeedState::kClosed;
  count.Add(old);
  count.Add(Answered(AskOf("in-time", "h", DaysAgo(29), IntroductionState::kConcluded), absl::Hours(48)));
  count.Add(Answered(AskOf("late", "h", DaysAgo(30), IntroductionState::kAccepted), absl::Hours(24 * 8)));
  count.Add(Answered(AskOf("waits", "h", DaysAgo(19), IntroductionState::kDeclined), absl::Hours(1)));
  const MarketHealth health = count.Finish();
  EXPECT_EQ(health.needs_open, 4);
  EXPECT_EQ(health.needs_waiting, 2);
  ASSERT_TRUE(health.waiting.has_value());
  EXPECT_EQ(health.waiting->median, absl::Hours(48));
  EXPECT_EQ(health.waiting->longest, absl::Hours(24 * 20));
  EXPECT_EQ(health.needs_due, 3);
  EXPECT_EQ(health.needs_answered_in_time, 1);
}

TEST(MarketCount, AsksOfFourWeeksByStateWithTheirAnswersAndOutcomes) {
  domain::Pool pool;
  MarketCount count(pool, kNow);
  count.Add(AskOf("n", "h1", DaysAgo(1), IntroductionState::kAwaitingHelper));
  count.Add(Answered(AskOf("n", "h1", DaysAgo(5), IntroductionState::kDeclined), absl::Hours(2)));
  auto helped = Answered(AskOf("n", "h2", DaysAgo(9), IntroductionState::kConcluded), absl::Hours(6));
  helped.outcomes.push_back({domain::Audience::kSeeker, OutcomeKind::kHired, "", DaysAgo(2)});
  count.Add(helped);
  auto useless = Answered(AskOf("n", "h2", DaysAgo(9), IntroductionState::kConcluded), absl::Hours(10));
  useless.outcomes.push_back({domain::Audience::kSeeker, OutcomeKind::kNotHelpful, "", DaysAgo(2)});
  count.Add(useless);
  count.Add(Answered(AskOf("n", "h2", DaysAgo(29), IntroductionState::kAccepted), absl::Hours(1)));  // too old
  auto draft = AskOf("n", "h3", kNow, IntroductionState::kDrafted);
  draft.ask_time.reset();
  count.Add(draft);
  for (const char* id : {"h1", "h2", "h3"}) count.Add(HelperOf(id, "skill:sql", DaysAgo(100)));
  const MarketHealth health = count.Finish();
  const auto of = [&](IntroductionState state) { return health.asks[static_cast<std::size_t>(state)]; };
  EXPECT_EQ(of(IntroductionState::kAwaitingHelper), 1);
  EXPECT_EQ(of(IntroductionState::kDeclined), 1);
  EXPECT_EQ(of(IntroductionState::kConcluded), 2);
  EXPECT_EQ(of(IntroductionState::kAccepted), 0);
  EXPECT_EQ(of(IntroductionState::kDrafted), 0);
  EXPECT_EQ(health.answered, 3);
  EXPECT_EQ(health.accepted, 2);
  ASSERT_TRUE(health.first_answer.has_value());
  EXPECT_EQ(health.first_answer->median, absl::Hours(6));
  EXPECT_EQ(health.outcomes, 2);
  EXPECT_EQ(health.helped, 1);
  EXPECT_EQ(health.helpers, 3);
  EXPECT_NEAR(health.load_gini, Gini({2, 2, 0}), 1e-12);
}

TEST(MarketCount, NewcomersAreReachedByAnAskThatCameToThem) {
  domain::Pool pool;
  MarketCount count(pool, kNow);
  count.Add(AskOf("n", "new-1", DaysAgo(20), IntroductionState::kExpired));
  auto with_introducer = AskOf("n", "new-2", DaysAgo(20), IntroductionState::kExpired);
  with_introducer.forward_time.reset();  // the introducer never passed it on
  count.Add(with_introducer);
  count.Add(HelperOf("new-1", "skill:sql", DaysAgo(30)));
  count.Add(HelperOf("new-2", "skill:sql", DaysAgo(30)));
  count.Add(HelperOf("too-new", "skill:sql", DaysAgo(3)));
  count.Add(HelperOf("long-there", "skill:sql", DaysAgo(90)));
  domain::Member suspended = HelperOf("suspended", "skill:sql", DaysAgo(30));
  suspended.suspended = true;
  count.Add(suspended);
  const MarketHealth health = count.Finish();
  EXPECT_EQ(health.helpers, 4);
  EXPECT_EQ(health.newcomers, 2);
  EXPECT_EQ(health.newcomers_reached, 1);
}

TEST(MarketCount, InterestsAreToldOfFromFiveSeekersOnAndTheTwentyMostWanted) {
  domain::Pool pool;
  MarketCount count(pool, kNow);
  for (int i = 0; i < 4; ++i)
    count.Add(NeedOf("few" + std::to_string(i), "s" + std::to_string(i), DaysAgo(1), "skill:rare"));
  for (int i = 0; i < 30; ++i) count.Add(NeedOf("one" + std::to_string(i), "same", DaysAgo(1), "skill:of-one-seeker"));
  for (int k = 0; k < 25; ++k) {
    for (int i = 0; i < 5 + k; ++i) {
      const std::string id = std::to_string(k) + "-" + std::to_string(i);
      count.Add(NeedOf(id, "s" + id, DaysAgo(1), "skill:k" + std::to_string(k)));
    }
  }
  count.Add(HelperOf("proven", "skill:k24", DaysAgo(90), 30));
  count.Add(HelperOf("unproven", "skill:k24", DaysAgo(90)));
  count.Add(HelperOf("elsewhere", "skill:rare", DaysAgo(90)));
  const MarketHealth health = count.Finish();
  ASSERT_EQ(health.interests.size(), kMaxInterestsMeasured);
  EXPECT_EQ(health.interests[0].interest, "skill:k24");
  EXPECT_EQ(health.interests[0].needs, 29);
  EXPECT_EQ(health.interests[0].helpers, 2);
  EXPECT_EQ(health.interests[0].proven, 1);
  for (const InterestBalance& balance : health.interests) {
    EXPECT_NE(balance.interest, "skill:rare");
    EXPECT_NE(balance.interest, "skill:of-one-seeker");
  }
}

}  // namespace
}  // namespace warmline::application
