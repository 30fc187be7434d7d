// Use case: match many needs at once, for the best choice or a stable one. Pairs come from the index, the best few of
// each need; more are fetched until the proof holds for all the pairs that there are, also for those that were never
// looked at. Any thread that may wait.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "application/access.h"
#include "application/ask_plan.h"
#include "application/cohort_needs.h"
#include "application/match_need.h"
#include "application/record_store.h"
#include "assignment/explain.h"
#include "assignment/plan.h"
#include "assignment/stable.h"

namespace warmline::application {

// Limits of one cohort.
inline constexpr int kDefaultCohortTopK = 20;
inline constexpr std::int64_t kMaxCohortPairs = 20'000'000;

struct NeedAndHelper {
  std::string need;
  std::string helper;
  friend bool operator<(const NeedAndHelper& x, const NeedAndHelper& y) {
    return std::tie(x.need, x.helper) < std::tie(y.need, y.helper);
  }
};

struct CohortOptions {
  assignment::PlanOptions plan;                  // of the best choice
  std::optional<assignment::Proposer> proposer;  // a stable choice instead
  std::uint64_t seed = 1;                        // of a stable choice
  int top_k = kDefaultCohortTopK;                // candidates of a need to begin with
  std::uint32_t min_score = 0;                   // pairs of less are left out
  int max_needs = kMaxCohortNeeds;
  std::vector<NeedAndHelper> fixed;  // take their places first
  std::vector<NeedAndHelper> forbidden;
};

struct FixedPair {
  domain::Need need;
  std::string helper;
  std::uint32_t score = 0;
};

struct CohortPlan {
  std::vector<KeptNeed> kept;        // by id of the need; not in the problem
  std::vector<FixedPair> fixed;      // by id of the need; not in the problem
  std::vector<domain::Need> needs;   // by id; the seekers of the problem
  std::vector<std::string> helpers;  // by id
  assignment::Problem problem;
  assignment::Preferences preferences;  // of each pair, where the choice is to be stable
  std::vector<std::int32_t> chosen;     // pairs of the problem
  assignment::Plan plan;                // of the best choice
  // For each need: no pair that is not in the problem is worth more; nothing where all are in it.
  std::vector<std::optional<std::int64_t>> bounds;
  std::vector<assignment::SeekerReason> reasons;  // of each need; without prices, where the choice is to be stable
  int rounds = 0;                                 // of fetching and solving
  // For every need: all its candidates are in the problem, or every one that is not cannot change the choice.
  bool proved_for_all = false;
};

// What is done, from 0 to 1, of which round.
using CohortProgress = std::function<void(double share, int round)>;

// Needs as ReadCohortNeeds gives them. Operators only. Each need is matched as it is when its turn comes. Errors:
// PERMISSION_DENIED; INVALID_ARGUMENT for a fixed pair that cannot be; those of ReadCohortNeeds and MatchNeed;
// RESOURCE_EXHAUSTED (LIMIT_REACHED) past a limit; those of the store and of `stop`.
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
