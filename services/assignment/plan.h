// A cohort planned in stages, each with its proof: first as many seekers as can be have somebody; then the worst pair
// is as good as can be; then the sum. Every later stage keeps what the earlier ones reached. Thread-safety: pure.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "assignment/certificate.h"
#include "assignment/problem.h"

namespace warmline::assignment {

struct PlanOptions {
  bool everybody_first = true;  // before the sum; without it a pair worth less than 0 is never chosen
  bool floor = false;           // the worst pair as good as can be, while as many have somebody; takes everybody_first
};

// What a stage proves, of the pairs that it leaves: that no choice is worth more in its own terms.
struct Stage {
  enum class Kind {
    kEverybody,   // each pair is worth 0, each seeker who has somebody 1: the most who can have somebody
    kFloorBound,  // the same of the pairs above the floor: with these, fewer can
    kSum,         // each pair is worth its weight, each seeker who has somebody more than all pairs together
  };
  Kind kind = Kind::kSum;
  std::optional<std::int64_t> min_weight;  // pairs of less are left out
  Problem problem;                         // the claim is about this
  std::vector<std::int32_t> pair_of;       // of each pair of `problem`, its index among all
  Certificate certificate;
};

struct Plan {
  std::vector<std::int32_t> chosen;  // indices of pairs, in order
  std::int64_t seekers = 0;          // who have somebody
  std::int64_t sum = 0;              // of weights
  std::optional<std::int64_t> floor;
  std::vector<Stage> stages;   // the last one chose
  std::int64_t looked_at = 0;  // pairs, over all searches
};

[[nodiscard]] const char* NameOf(Stage::Kind kind);

// The problem of a stage, made of all pairs: what a checker makes anew for itself.
[[nodiscard]] Problem ProblemOf(const Problem& all, Stage::Kind kind, std::optional<std::int64_t> min_weight,
                                bool everybody_first, std::vector<std::int32_t>* pair_of);

// `all.bonus` must be 0. Errors: those of SolveOptimal.
[[nodiscard]] absl::StatusOr<Plan> MakePlan(const Problem& all, const PlanOptions& options, const StopCheck& stop = {},
                                            const std::function<void(double)>& progress = {});

// Checks every stage, and that together they prove what the plan says. INVALID_ARGUMENT says what is wrong.
[[nodiscard]] absl::Status VerifyPlan(const Problem& all, const PlanOptions& options, const Plan& plan);

// Whether what a stage of the plan proves holds as well for pairs of a seeker that are not in its problem, none of
// which is worth more than `bound`: one costs at least the seeker's price, as helpers' prices are 0 or more, and
// changes nothing while it is worth no more.
[[nodiscard]] bool HoldsBeyond(const Plan& plan, const Stage& stage, std::size_t seeker, std::int64_t bound);

}  // namespace warmline::assignment
