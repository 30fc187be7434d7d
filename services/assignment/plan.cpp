#include "assignment/plan.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <set>

#include "assignment/optimal.h"

namespace warmline::assignment {
namespace {

// More than all pairs together could add: so that nobody goes without for a better sum.
std::int64_t BonusOf(const Problem& all) {
  std::int64_t heaviest = 1;
  for (const Pair& pair : all.pairs) heaviest = std::max(heaviest, pair.weight < 0 ? -pair.weight : pair.weight);
  std::int64_t places = 0;
  for (const std::int32_t capacity : all.seeker_capacity)
    places += std::min<std::int64_t>(capacity, static_cast<std::int64_t>(all.helper_capacity.size()));
  return 2 * heaviest * places + 1;
}

absl::StatusOr<Stage> Solve(const Problem& all, Stage::Kind kind, std::optional<std::int64_t> min_weight,
                            bool everybody_first, Plan& plan, const StopCheck& stop,
                            const std::function<void(double)>& progress) {
  Stage stage;
  stage.kind = kind;
  stage.min_weight = min_weight;
  stage.problem = ProblemOf(all, kind, min_weight, everybody_first, &stage.pair_of);
  auto solved = SolveOptimal(stage.problem, stop, progress);
  if (!solved.ok()) return solved.status();
  plan.looked_at += solved->looked_at;
  stage.certificate = {std::move(solved->chosen), solved->value, std::move(solved->seeker_price),
                       std::move(solved->helper_price)};
  return stage;
}

// The largest weight such that pairs of that or more serve `seekers`, and the proof that those of more do not.
absl::Status RaiseFloor(const Problem& all, std::int64_t seekers, Plan& plan, const StopCheck& stop) {
  std::set<std::int64_t> distinct;
  for (const Pair& pair : all.pairs) distinct.insert(pair.weight);
  const std::vector<std::int64_t> weights(distinct.begin(), distinct.end());
  std::size_t good = 0;  // serves
  std::size_t bad = weights.size();
  std::optional<Stage> bound;
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    auto tried = Solve(all, Stage::Kind::kFloorBound, weights[middle], true, plan, stop, {});
    if (!tried.ok()) return tried.status();
    if (tried->certificate.value == seekers) {
      good = middle;
    } else {
      bad = middle;
      bound = *std::move(tried);
    }
  }
  plan.floor = weights[good];
  if (bound) plan.stages.push_back(*std::move(bound));
  return absl::OkStatus();
}

}  // namespace

const char* NameOf(Stage::Kind kind) {
  switch (kind) {
    case Stage::Kind::kEverybody:
      return "everybody";
    case Stage::Kind::kFloorBound:
      return "floor_bound";
    case Stage::Kind::kSum:
      return "sum";
  }
  return "";
}

Problem ProblemOf(const Problem& all, Stage::Kind kind, std::optional<std::int64_t> min_weight, bool everybody_first,
                  std::vector<std::int32_t>* pair_of) {
  Problem problem;
  problem.seeker_capacity = all.seeker_capacity;
  problem.helper_capacity = all.helper_capacity;
  problem.bonus = kind != Stage::Kind::kSum ? 1 : everybody_first ? BonusOf(all) : 0;
  for (std::size_t e = 0; e < all.pairs.size(); ++e) {
    Pair pair = all.pairs[e];
    if (min_weight && pair.weight < *min_weight) continue;
    if (kind != Stage::Kind::kSum) pair.weight = 0;
    problem.pairs.push_back(pair);
    if (pair_of != nullptr) pair_of->push_back(static_cast<std::int32_t>(e));
  }
  return problem;
}

absl::StatusOr<Plan> MakePlan(const Problem& all, const PlanOptions& options, const StopCheck& stop,
                              const std::function<void(double)>& progress) {
  if (auto status = Validate(all); !status.ok()) return status;
  Plan plan;
  const bool everybody = options.everybody_first || options.floor;
  if (everybody && !all.pairs.empty()) {
    auto stage = Solve(all, Stage::Kind::kEverybody, std::nullopt, true, plan, stop, {});
    if (!stage.ok()) return stage.status();
    const std::int64_t seekers = stage->certificate.value;
    plan.stages.push_back(*std::move(stage));
    if (options.floor && seekers > 0) {
      if (auto status = RaiseFloor(all, seekers, plan, stop); !status.ok()) return status;
    }
  }
  auto sum = Solve(all, Stage::Kind::kSum, plan.floor, everybody, plan, stop, progress);
  if (!sum.ok()) return sum.status();
  std::set<std::int32_t> served;
  for (const std::int32_t e : sum->certificate.chosen) {
    const std::int32_t index = sum->pair_of[static_cast<std::size_t>(e)];
    plan.chosen.push_back(index);
    plan.sum += all.pairs[static_cast<std::size_t>(index)].weight;
    served.insert(all.pairs[static_cast<std::size_t>(index)].seeker);
  }
  plan.seekers = static_cast<std::int64_t>(served.size());
  plan.stages.push_back(*std::move(sum));
  return plan;
}

bool HoldsBeyond(const Plan& plan, const Stage& stage, std::size_t seeker, std::int64_t bound) {
  const std::int64_t price = stage.certificate.seeker_price[seeker];
  switch (stage.kind) {
    case Stage::Kind::kEverybody:
      return price >= 0;
    case Stage::Kind::kFloorBound:
      // No missing pair is above the floor, or else it would be free of charge and in nobody's gap.
      return plan.floor && bound <= *plan.floor;
    case Stage::Kind::kSum:
      return bound < plan.floor.value_or(0) || price >= bound;
  }
  return false;
}

absl::Status VerifyPlan(const Problem& all, const PlanOptions& options, const Plan& plan) {
  const auto wrong = [](std::string_view what) { return absl::InvalidArgumentError(std::string(what)); };
  const bool everybody = options.everybody_first || options.floor;
  std::optional<std::int64_t> most;
  for (const Stage& stage : plan.stages) {
    const Problem problem = ProblemOf(all, stage.kind, stage.min_weight, everybody, nullptr);
    if (auto status = Verify(problem, stage.certificate); !status.ok())
      return wrong(absl::StrCat("stage ", NameOf(stage.kind), ": ", std::string(status.message())));
    switch (stage.kind) {
      case Stage::Kind::kEverybody:
        if (stage.min_weight) return wrong("stage everybody leaves pairs out");
        most = stage.certificate.value;
        break;
      case Stage::Kind::kFloorBound: {
        if (!most || !plan.floor || !stage.min_weight) return wrong("stage floor_bound is out of place");
        if (stage.certificate.value >= *most)
          return wrong("stage floor_bound serves as many: the floor could be higher");
        const bool skips = std::any_of(all.pairs.begin(), all.pairs.end(), [&](const Pair& pair) {
          return pair.weight > *plan.floor && pair.weight < *stage.min_weight;
        });
        if (skips) return wrong("stage floor_bound leaves out pairs between the floor and its own bound");
        break;
      }
      case Stage::Kind::kSum:
        if (stage.min_weight != plan.floor) return wrong("stage sum leaves out other pairs than those below the floor");
        break;
    }
  }
  if (plan.stages.empty() || plan.stages.back().kind != Stage::Kind::kSum) return wrong("there is no stage sum");
  if (everybody && !all.pairs.empty() && most != plan.seekers)
    return wrong("fewer seekers have somebody than could have");
  return absl::OkStatus();
}

}  // namespace warmline::assignment
