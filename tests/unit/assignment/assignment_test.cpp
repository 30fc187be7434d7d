// What is refused, and what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assignment/optimal.h"
#include "assignment/plan.h"
#include "assignment/stable.h"

namespace warmline::assignment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Refusal(const Problem& problem) { return std::string(Validate(problem).message()); }

TEST(Problems, AreCheckedBeforeTheyAreSolved) {
  EXPECT_EQ(Refusal({{1}, {1}, {{0, 0, 5}}}), "");
  EXPECT_THAT(Refusal({{1}, {1}, {{0, 1, 5}}}), HasSubstr("pair 0 names nobody"));
  EXPECT_THAT(Refusal({{1}, {1}, {{0, 0, 5}, {0, 0, 5}}}), HasSubstr("pair 1 is not after"));
  EXPECT_THAT(Refusal({{-1}, {1}, {}}), HasSubstr("a capacity is -1"));
  EXPECT_THAT(Refusal({{1}, {1}, {{0, 0, kMaxWeight + 1}}}), HasSubstr("give -2^32 to 2^32"));
  EXPECT_THAT(Refusal({{1}, {1}, {{0, 0, 1}}, std::int64_t{1} << 60}), HasSubstr("overflow"));
}

TEST(Optimal, PrefersTheSumToTheBestPair) {
  const Problem problem{{1, 1}, {1, 1}, {{0, 0, 10}, {0, 1, 9}, {1, 0, 9}, {1, 1, 1}}};
  const auto solved = SolveOptimal(problem);
  ASSERT_TRUE(solved.ok());
  EXPECT_EQ(solved->value, 18);
  EXPECT_THAT(solved->chosen, ElementsAre(1, 2));
}

TEST(Optimal, StopsWhenItIsTold) {
  Problem problem;
  problem.seeker_capacity.assign(300, 1);
  problem.helper_capacity.assign(300, 1);
  for (int i = 0; i < 300; ++i) {
    for (int j = 0; j < 300; ++j) problem.pairs.push_back({i, j, (i * 7919 + j * 104'729) % 1'000});
  }
  const auto solved = SolveOptimal(problem, [] { return absl::DeadlineExceededError("late"); });
  EXPECT_EQ(solved.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(Plans, ServeEverybodyBeforeTheSumAndRaiseTheWorst) {
  // The best sum leaves seeker 1 alone; the best floor takes neither of the best pairs.
  const Problem problem{{1, 1}, {1, 1}, {{0, 0, 100}, {0, 1, 40}, {1, 0, 30}, {1, 1, 2}}};
  EXPECT_EQ(MakePlan(problem, {true, false})->sum, 102);
  const auto fair = MakePlan(problem, {true, true});
  EXPECT_EQ(fair->sum, 70);
  EXPECT_EQ(fair->floor, 30);
  EXPECT_TRUE(VerifyPlan(problem, {true, true}, *fair).ok());
  EXPECT_EQ(MakePlan({{1}, {1}, {{0, 0, -5}}}, {false, false})->chosen.size(), 0U);
  EXPECT_EQ(MakePlan({{1}, {1}, {{0, 0, -5}}}, {true, false})->sum, -5);
}

TEST(Stable, RefusesSeekersWithMorePlaces) {
  const auto refused = SolveStable({{2}, {1}, {{0, 0, 1}}}, {{1}, {1}}, Proposer::kSeeker);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("seeker 0 has 2 places"));
  EXPECT_FALSE(SolveStable({{1}, {1}, {{0, 0, 1}}}, {{1}, {}}, Proposer::kSeeker).ok());
}

TEST(Stable, FindsPairsThatWouldRatherHaveEachOther) {
  const Problem problem{{1, 1}, {1, 1}, {{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 1, 0}}};
  const Preferences preferences{{2, 1, 2, 1}, {2, 1, 1, 2}};
  EXPECT_THAT(*BlockingPairs(problem, preferences, {1, 2}), ElementsAre(0));
  EXPECT_THAT(*BlockingPairs(problem, preferences, {0, 3}), IsEmpty());
  EXPECT_THAT(SolveStable(problem, preferences, Proposer::kSeeker)->chosen, ElementsAre(0, 3));
}

TEST(Stable, WhoIsAlikeIsOrderedByTheSeed) {
  Problem problem{{1, 1, 1, 1, 1, 1}, {1}, {}};
  Preferences preferences;
  for (int i = 0; i < 6; ++i) {
    problem.pairs.push_back({i, 0, 0});
    preferences.of_seekers.push_back(0);
    preferences.of_helpers.push_back(0);
  }
  std::set<std::int32_t> winners;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    preferences.seed = seed;
    const auto choice = SolveStable(problem, preferences, Proposer::kSeeker);
    EXPECT_EQ(choice->chosen, SolveStable(problem, preferences, Proposer::kHelper)->chosen);
    winners.insert(choice->chosen[0]);
  }
  EXPECT_GT(winners.size(), 3U);
}

}  // namespace
}  // namespace warmline::assignment
