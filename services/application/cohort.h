// Use case: match many needs at once. Pairs come from the index, the best few of each need; more are fetched until the
// proof holds for all the pairs that there are, also for those that were never looked at. Any thread that may wait.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "application/access.h"
#include "application/ask_plan.h"
#include "application/match_need.h"
#include "application/record_store.h"
#include "assignment/explain.h"
#include "assignment/plan.h"

namespace warmline::application {

// Limits of one cohort.
inline constexpr int kMaxCohortNeeds = 100'000;
inline constexpr int kDefaultCohortTopK = 20;
inline constexpr std::int64_t kMaxCohortPairs = 20'000'000;

struct CohortOptions {
  assignment::PlanOptions plan;
  int top_k = kDefaultCohortTopK;  // candidates of a need to begin with
  std::uint32_t min_score = 0;     // pairs of less are left out
  int max_needs = kMaxCohortNeeds;
};

struct CohortPlan {
  std::vector<domain::Need> needs;   // by id; the seekers of the problem
  std::vector<std::string> helpers;  // by id
  assignment::Problem problem;
  assignment::Plan plan;
  std::vector<assignment::SeekerReason> reasons;  // of each need
  int rounds = 0;                                 // of fetching and solving
  // For every need: all its candidates are in the problem, or every one that is not is worth less than its prices.
  bool proved_for_all = false;
};

// What is done, from 0 to 1, of which round.
using CohortProgress = std::function<void(double share, int round)>;

// Open needs by id, one of a seeker; where `ids` is empty, of each seeker of the pool the first. Operators only. Each
// need is matched as it is when its turn comes. Errors: PERMISSION_DENIED; INVALID_ARGUMENT for two needs of a seeker;
// those of MatchNeed; RESOURCE_EXHAUSTED (LIMIT_REACHED) past a limit; those of the store and of `stop`.
[[nodiscard]] absl::StatusOr<CohortPlan> PlanCohort(RecordStore& store, const PoolRegistry& pools, const Caller& caller,
                                                    const std::string& pool, const std::vector<std::string>& ids,
                                                    const CohortOptions& options, const index::StopCheck& stop,
                                                    const CohortProgress& progress);

// Asks every helper of a plan, all or none: each ask goes the way of its match, with the same message. Returns the
// introductions in the order of the plan's pairs. Runs inside a write transaction. Errors: those of
// RequestIntroduction, naming the need.
[[nodiscard]] absl::StatusOr<std::vector<domain::Introduction>> AskCohort(WriteTransaction& tx, const std::string& pool,
                                                                          const std::vector<AskPlan>& asks,
                                                                          const std::string& request_id,
                                                                          absl::Time now);

}  // namespace warmline::application
