// Cohorts solved fast are as good as the best of all choices, tried one by one; the certificates prove it, and a wrong
// one is found out. Stable choices have no blocking pair, and give the proposing side the best of all stable choices.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "assignment/optimal.h"
#include "assignment/plan.h"
#include "assignment/stable.h"

namespace warmline::testing {
namespace {

using namespace assignment;  // NOLINT(google-build-using-namespace): what this file is about

Problem Any(int max_side, int max_capacity, std::int64_t low, std::int64_t high) {
  Problem problem;
  const int seekers = *rc::gen::inRange(1, max_side + 1);
  const int helpers = *rc::gen::inRange(1, max_side + 1);
  for (int i = 0; i < seekers; ++i) problem.seeker_capacity.push_back(*rc::gen::inRange(0, max_capacity + 1));
  for (int j = 0; j < helpers; ++j) problem.helper_capacity.push_back(*rc::gen::inRange(0, max_capacity + 1));
  for (int i = 0; i < seekers; ++i) {
    for (int j = 0; j < helpers; ++j) {
      if (*rc::gen::inRange(0, 3) != 0) problem.pairs.push_back({i, j, *rc::gen::inRange(low, high)});
    }
  }
  return problem;
}

// Calls `each` with every choice that the capacities allow.
void ForEachChoice(const Problem& problem, const std::function<void(const std::vector<std::int32_t>&)>& each) {
  std::vector<std::int32_t> seekers(problem.seeker_capacity);
  std::vector<std::int32_t> helpers(problem.helper_capacity);
  std::vector<std::int32_t> chosen;
  const std::function<void(std::size_t)> go = [&](std::size_t e) {
    if (e == problem.pairs.size()) {
      each(chosen);
      return;
    }
    go(e + 1);
    auto& i = seekers[static_cast<std::size_t>(problem.pairs[e].seeker)];
    auto& j = helpers[static_cast<std::size_t>(problem.pairs[e].helper)];
    if (i == 0 || j == 0) return;
    --i;
    --j;
    chosen.push_back(static_cast<std::int32_t>(e));
    go(e + 1);
    chosen.pop_back();
    ++i;
    ++j;
  };
  go(0);
}

struct Worth {
  std::int64_t seekers = 0;
  std::int64_t floor = 0;
  std::int64_t sum = 0;
};
Worth WorthOf(const Problem& problem, const std::vector<std::int32_t>& chosen) {
  Worth worth{0, std::numeric_limits<std::int64_t>::max(), 0};
  std::map<std::int32_t, int> served;
  for (const auto e : chosen) {
    const Pair& pair = problem.pairs[static_cast<std::size_t>(e)];
    ++served[pair.seeker];
    worth.sum += pair.weight;
    worth.floor = std::min(worth.floor, pair.weight);
  }
  worth.seekers = static_cast<std::int64_t>(served.size());
  return worth;
}

RC_GTEST_PROP(Optimal, IsTheBestOfAllChoices, ()) {
  Problem problem = Any(4, 2, -6, 12);
  problem.bonus = *rc::gen::element<std::int64_t>(0, 0, 3, 1'000);
  std::int64_t best = 0;
  ForEachChoice(problem, [&](const auto& chosen) {
    const Worth worth = WorthOf(problem, chosen);
    best = std::max(best, worth.sum + problem.bonus * worth.seekers);
  });
  const auto solved = SolveOptimal(problem);
  RC_ASSERT(solved.ok());
  RC_ASSERT(solved->value == best);
  Certificate certificate{solved->chosen, solved->value, solved->seeker_price, solved->helper_price};
  const auto proved = Verify(problem, certificate);
  if (!proved.ok()) RC_LOG() << proved << std::endl;
  RC_ASSERT(proved.ok());
  // A better claim is not believed, and neither is a worse choice.
  certificate.value += 1;
  RC_ASSERT(!Verify(problem, certificate).ok());
  certificate.value -= 1;
  if (!certificate.chosen.empty() && problem.pairs[static_cast<std::size_t>(certificate.chosen[0])].weight != 0) {
    certificate.value -= problem.pairs[static_cast<std::size_t>(certificate.chosen[0])].weight;
    certificate.chosen.erase(certificate.chosen.begin());
    RC_ASSERT(!Verify(problem, certificate).ok());
  }
}

RC_GTEST_PROP(Optimal, ProvesLargerCohorts, ()) {
  Problem problem = Any(40, 4, -1'000, 1'000'000);
  problem.bonus = *rc::gen::element<std::int64_t>(0, 5'000'000'000);
  const auto solved = SolveOptimal(problem);
  RC_ASSERT(solved.ok());
  const auto proved = Verify(problem, {solved->chosen, solved->value, solved->seeker_price, solved->helper_price});
  if (!proved.ok()) RC_LOG() << proved << std::endl;
  RC_ASSERT(proved.ok());
}

RC_GTEST_PROP(Plans, AreBestStageByStage, ()) {
  const Problem problem = Any(4, 2, -3, 7);
  const PlanOptions options{*rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()};
  const bool everybody = options.everybody_first || options.floor;
  Worth best{0, 0, 0};
  bool any = false;
  ForEachChoice(problem, [&](const auto& chosen) {
    const Worth w = WorthOf(problem, chosen);
    const auto key = [&](const Worth& x) {
      return std::tuple(everybody ? x.seekers : 0, options.floor ? x.floor : 0, x.sum);
    };
    if (!any || key(w) > key(best)) best = w;
    any = true;
  });
  const auto plan = MakePlan(problem, options);
  RC_ASSERT(plan.ok());
  const Worth made = WorthOf(problem, plan->chosen);
  if (everybody) RC_ASSERT(made.seekers == best.seekers);
  if (options.floor && best.seekers > 0) RC_ASSERT(plan->floor == best.floor);
  RC_ASSERT(made.sum == best.sum);
  RC_ASSERT(plan->sum == made.sum);
  const auto proved = VerifyPlan(problem, options, *plan);
  if (!proved.ok()) RC_LOG() << proved << std::endl;
  RC_ASSERT(proved.ok());
  Plan tampered = *plan;
  tampered.seekers += 1;
  if (everybody && !problem.pairs.empty()) RC_ASSERT(!VerifyPlan(problem, options, tampered).ok());
}

Preferences AnyPreferences(const Problem& problem) {
  Preferences preferences;
  for (std::size_t e = 0; e < problem.pairs.size(); ++e) {
    preferences.of_seekers.push_back(*rc::gen::inRange(0, 5));  // few, so that many are alike
    preferences.of_helpers.push_back(*rc::gen::inRange(0, 5));
  }
  preferences.seed = *rc::gen::arbitrary<std::uint64_t>();
  return preferences;
}

Problem OnePlaceEach(Problem problem) {
  for (auto& capacity : problem.seeker_capacity) capacity = std::min(capacity, 1);
  return problem;
}

// What a seeker has of a choice, as a rank among their pairs: 0 the best; nothing is last.
std::int64_t ThoughtOf(const Problem& problem, const Preferences& preferences, std::int32_t seeker,
                       const std::vector<std::int32_t>& chosen) {
  for (const auto e : chosen) {
    if (problem.pairs[static_cast<std::size_t>(e)].seeker == seeker)
      return preferences.of_seekers[static_cast<std::size_t>(e)];
  }
  return -1;
}

RC_GTEST_PROP(Stable, HasNoBlockingPair, ()) {
  const Problem problem = OnePlaceEach(Any(12, 3, 0, 2));
  const Preferences preferences = AnyPreferences(problem);
  for (const Proposer proposer : {Proposer::kSeeker, Proposer::kHelper}) {
    const auto choice = SolveStable(problem, preferences, proposer);
    RC_ASSERT(choice.ok());
    const auto blocking = BlockingPairs(problem, preferences, choice->chosen);
    RC_ASSERT(blocking.ok());
    RC_ASSERT(blocking->empty());
  }
}

RC_GTEST_PROP(Stable, GivesTheProposingSideTheBestOfAllStableChoices, ()) {
  const Problem problem = OnePlaceEach(Any(4, 2, 0, 2));
  const Preferences preferences = AnyPreferences(problem);
  const auto by_seekers = SolveStable(problem, preferences, Proposer::kSeeker);
  const auto by_helpers = SolveStable(problem, preferences, Proposer::kHelper);
  RC_ASSERT(by_seekers.ok());
  RC_ASSERT(by_helpers.ok());
  bool found = false;
  ForEachChoice(problem, [&](const auto& chosen) {
    const auto blocking = BlockingPairs(problem, preferences, chosen);
    if (!blocking.ok() || !blocking->empty()) return;
    found = found || chosen == by_seekers->chosen;
    for (std::size_t i = 0; i < problem.seeker_capacity.size(); ++i) {
      const auto seeker = static_cast<std::int32_t>(i);
      const auto thought = ThoughtOf(problem, preferences, seeker, chosen);
      RC_ASSERT(thought <= ThoughtOf(problem, preferences, seeker, by_seekers->chosen));
      RC_ASSERT(thought >= ThoughtOf(problem, preferences, seeker, by_helpers->chosen));
    }
  });
  RC_ASSERT(found);
}

}  // namespace
}  // namespace warmline::testing
