// What introductions say when they are many: how long an answer takes, and evidence that stays within its limit.
#include <gtest/gtest.h>

#include "application/answer_estimate.h"
#include "application/introduction_moves.h"
#include "application/outcome_evidence.h"
#include "domain/limits.h"

namespace warmline::application {
namespace {

using domain::Introduction;
using domain::IntroductionState;
using domain::OutcomeKind;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Introduction Asked(std::optional<absl::Duration> answered_after, IntroductionState state) {
  Introduction i;
  i.state = state;
  i.ask_time = kNow - absl::Hours(24 * 10);
  if (answered_after) i.answer_time = *i.ask_time + *answered_after;
  return i;
}

std::vector<Introduction> Answered(int count) {
  std::vector<Introduction> asks;
  for (int hours = 1; hours <= count; ++hours) asks.push_back(Asked(absl::Hours(hours), IntroductionState::kConcluded));
  return asks;
}

TEST(Estimate, SaysNothingOfFewAsks) {
  EXPECT_FALSE(EstimateFrom({}, kNow).has_value());
  EXPECT_FALSE(EstimateFrom(Answered(kMinAsksToEstimate - 1), kNow).has_value());
  EXPECT_TRUE(EstimateFrom(Answered(kMinAsksToEstimate), kNow).has_value());
}

TEST(Estimate, GivesQuartilesOfWhatWasAnswered) {
  const auto estimate = EstimateFrom(Answered(41), kNow);
  ASSERT_TRUE(estimate.has_value());
  EXPECT_EQ(estimate->asks, 41);
  EXPECT_EQ(estimate->lower, absl::Hours(11));
  EXPECT_EQ(estimate->median, absl::Hours(21));
  EXPECT_EQ(estimate->upper, absl::Hours(31));
  EXPECT_EQ(estimate->answered, domain::kOne);
}

TEST(Estimate, CountsSilenceAsLongerThanAllAnswersAndNothingElse) {
  std::vector<Introduction> asks = Answered(30);
  // What the seeker took back, what waits, and what is too old say nothing.
  for (int i = 0; i < 50; ++i) {
    asks.push_back(Asked(std::nullopt, IntroductionState::kCancelled));
    asks.push_back(Asked(std::nullopt, IntroductionState::kAwaitingHelper));
    asks.push_back(Asked(absl::Hours(1), IntroductionState::kConcluded));
    asks.back().ask_time = kNow - kEstimateMemory - absl::Hours(1);
  }
  EXPECT_EQ(EstimateFrom(asks, kNow)->asks, 30);
  for (int i = 0; i < 10; ++i) asks.push_back(Asked(std::nullopt, IntroductionState::kExpired));
  const auto estimate = EstimateFrom(asks, kNow);
  ASSERT_TRUE(estimate.has_value());
  EXPECT_EQ(estimate->asks, 40);
  EXPECT_EQ(estimate->median, absl::Hours(20));
  EXPECT_EQ(estimate->answered, domain::kOne * 3 / 4);
  // Most were never answered: nobody knows.
  for (int i = 0; i < 30; ++i) asks.push_back(Asked(std::nullopt, IntroductionState::kExpired));
  EXPECT_FALSE(EstimateFrom(asks, kNow).has_value());
}

std::int64_t CountOf(const domain::Member& member, OutcomeKind kind) {
  std::int64_t count = 0;
  for (const auto& e : member.evidence) count += e.outcome == kind ? e.count : 0;
  return count;
}

TEST(Evidence, PastTheLimitTheNearestTwoBecomeOneAndNoneIsLost) {
  domain::Member member;
  for (int i = 0; i < domain::kMaxEvidenceEntries + 40; ++i) {
    const auto kind = i % 3 == 0 ? OutcomeKind::kNotHelpful : OutcomeKind::kHelped;
    AddEvidence(member, kind, kNow + absl::Hours(i), absl::Hours(i % 5));
  }
  EXPECT_EQ(member.evidence.size(), static_cast<std::size_t>(domain::kMaxEvidenceEntries));
  const std::int64_t unhelpful = CountOf(member, OutcomeKind::kNotHelpful);
  EXPECT_EQ(unhelpful, (domain::kMaxEvidenceEntries + 40 + 2) / 3);
  EXPECT_EQ(CountOf(member, OutcomeKind::kHelped), domain::kMaxEvidenceEntries + 40 - unhelpful);
  // One of an entry that stands for several is taken out by itself.
  RemoveEvidence(member, OutcomeKind::kNotHelpful, kNow);
  EXPECT_EQ(CountOf(member, OutcomeKind::kNotHelpful), unhelpful - 1);
  RemoveEvidence(member, OutcomeKind::kHired, kNow);  // there is none
  EXPECT_EQ(CountOf(member, OutcomeKind::kNotHelpful), unhelpful - 1);
}

TEST(Ids, AreInTheOrderOfTime) {
  EXPECT_LT(IntroductionIdAt(kNow), IntroductionIdAt(kNow + absl::Milliseconds(1)));
  EXPECT_LT(IntroductionIdAt(absl::UnixEpoch()), IntroductionIdAt(kNow));
}

}  // namespace
}  // namespace warmline::application
