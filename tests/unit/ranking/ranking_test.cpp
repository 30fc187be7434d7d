// The golden examples of docs/matching.md.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "domain/fixed_point.h"
#include "ranking/evidence.h"
#include "ranking/score.h"
#include "ranking/weights.h"

namespace warmline::ranking {
namespace {

using domain::kOne;

domain::Evidence Outcome(domain::OutcomeKind kind, int count, std::int64_t hour) {
  return {kind, count, absl::FromUnixSeconds(hour * 3600), {}};
}

TEST(Evidence, NobodyKnownHasThePrior) {
  const domain::Policy policy;
  const EvidenceParts parts = PartsAt(SumEvidence({}, policy), policy, 500'000);
  // prior 1 + 1: mean 1/2, deviation sqrt(1/2 * 1/2 / 3) = 0.288675.
  EXPECT_EQ(parts.helpfulness, kOne / 2 - 302697);
  EXPECT_EQ(parts.responsiveness, kOne / 4);  // answers 1/2, speed unknown 1/2
  EXPECT_EQ(parts.novelty, kOne);
}

TEST(Evidence, NineHelpedOneNot) {
  const domain::Policy policy;
  const auto mass = SumEvidence(
      {Outcome(domain::OutcomeKind::kHelped, 9, 500'000), Outcome(domain::OutcomeKind::kNotHelpful, 1, 500'000)},
      policy);
  const EvidenceParts parts = PartsAt(mass, policy, 500'000);
  // mean 10/12, deviation sqrt(10/12 * 2/12 / 13).
  EXPECT_NEAR(parts.helpfulness / static_cast<double>(kOne), 10.0 / 12 - std::sqrt(10.0 / 12 * 2 / 12 / 13), 1e-5);
  EXPECT_EQ(mass.helped_count, 9U);
  EXPECT_EQ(mass.outcome_count, 10U);
}

TEST(Evidence, HalvesInAHalfLife) {
  domain::Policy policy;
  policy.half_life_hours = 100;
  const auto mass = SumEvidence(
      {Outcome(domain::OutcomeKind::kHelped, 4, 1'000), Outcome(domain::OutcomeKind::kHelped, 4, 900)}, policy);
  EXPECT_EQ(mass.helped, 6 * kOne);  // 4 + 4/2, as of the newest
  EXPECT_GT(PartsAt(mass, policy, 1'000).helpfulness, PartsAt(mass, policy, 1'100).helpfulness);
  EXPECT_EQ(PartsAt(mass, policy, 100'000).helpfulness,
            PartsAt(SumEvidence({}, policy), policy, 0).helpfulness);  // forgotten
}

TEST(Evidence, SilenceCountsAgainstAnswering) {
  const domain::Policy policy;
  const auto silent = PartsAt(SumEvidence({Outcome(domain::OutcomeKind::kNoReply, 8, 9)}, policy), policy, 9);
  const auto unhelpful = PartsAt(SumEvidence({Outcome(domain::OutcomeKind::kNotHelpful, 8, 9)}, policy), policy, 9);
  EXPECT_EQ(silent.helpfulness, unhelpful.helpfulness);
  EXPECT_LT(silent.responsiveness, unhelpful.responsiveness);
}

TEST(Gates, AnyAndProven) {
  domain::Policy policy;
  policy.proven_outcomes = 3;
  EvidenceMass mass;
  EXPECT_TRUE(PassesGate(domain::EvidenceGate::kNone, mass, 0, policy));
  EXPECT_FALSE(PassesGate(domain::EvidenceGate::kAny, mass, kOne, policy));
  mass.helped_count = 3;
  EXPECT_TRUE(PassesGate(domain::EvidenceGate::kAny, mass, 0, policy));
  EXPECT_TRUE(PassesGate(domain::EvidenceGate::kProven, mass, policy.proven_helpfulness, policy));
  EXPECT_FALSE(PassesGate(domain::EvidenceGate::kProven, mass, policy.proven_helpfulness - 1, policy));
}

TEST(Weights, UrgencyMovesButKeepsTheSum) {
  const domain::Policy policy;
  for (const auto urgency :
       {domain::Urgency::kLow, domain::Urgency::kNormal, domain::Urgency::kHigh, domain::Urgency::kImmediate}) {
    const auto weights = WeightsFor(policy, urgency);
    EXPECT_EQ(std::accumulate(weights.begin(), weights.end(), 0U), kOne);
  }
  const auto immediate = WeightsFor(policy, domain::Urgency::kImmediate);
  EXPECT_EQ(immediate[0], policy.weights[0] - kOne / 16);
  EXPECT_EQ(immediate[1], policy.weights[1] - kOne / 16);
  EXPECT_EQ(immediate[2], policy.weights[2] + kOne / 16);
  EXPECT_EQ(immediate[4], policy.weights[4] + kOne / 16);
}

TEST(Rarity, IsOneForASingleHelperAndFalls) {
  EXPECT_EQ(RarityOf(1, 1'000), kOne);
  EXPECT_EQ(RarityOf(0, 1'000), kOne);
  EXPECT_EQ(RarityOf(0, 0), kOne);
  std::uint32_t last = kOne;
  for (const std::uint64_t having : {2U, 10U, 100U, 500U, 1'000U}) {
    const std::uint32_t rarity = RarityOf(having, 1'000);
    EXPECT_LT(rarity, last);
    last = rarity;
  }
  EXPECT_EQ(RarityOf(1'000, 1'000), 105202U);  // log2(2) / log2(1001)
}

TEST(Availability, IsTheSmallerShare) {
  EXPECT_EQ(Availability(4, 10, {1, 0}), kOne * 3 / 4);
  EXPECT_EQ(Availability(4, 10, {0, 9}), kOne / 10);
  EXPECT_EQ(Availability(4, 10, {4, 0}), 0U);
  EXPECT_EQ(Availability(4, 10, {0, 99}), 0U);
}

TEST(Exploration, IsBoundedByNoveltyAndReplays) {
  const auto of_need = ExplorationOf({3, 4}, 7, 20'000);
  for (std::uint64_t helper = 0; helper < 1'000; ++helper) {
    const auto bonus = Exploration(kOne / 3, of_need, helper);
    EXPECT_LT(bonus, kOne / 3);
    EXPECT_EQ(bonus, Exploration(kOne / 3, ExplorationOf({3, 4}, 7, 20'000), helper));
  }
  EXPECT_EQ(Exploration(0, of_need, 8), 0U);
}

TEST(Exploration, IsAnotherUnderAnotherKeyNeedAndDay) {
  int same = 0;
  for (std::uint64_t helper = 0; helper < 1'000; ++helper) {
    const auto bonus = Exploration(kOne, ExplorationOf({3, 4}, 7, 20'000), helper);
    for (const auto& other : {ExplorationOf({3, 5}, 7, 20'000), ExplorationOf({2, 4}, 7, 20'000),
                              ExplorationOf({3, 4}, 8, 20'000), ExplorationOf({3, 4}, 7, 20'001)})
      same += bonus == Exploration(kOne, other, helper) ? 1 : 0;
  }
  EXPECT_LT(same, 5);  // 4,000 pairs of 20 bits
}

}  // namespace
}  // namespace warmline::ranking
