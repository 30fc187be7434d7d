// A cohort in CSV files: the pairs that may be, and capacities. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "assignment/problem.h"
#include "assignment/stable.h"

namespace warmline::cli {

// Weights and preferences are decimals of at most six digits after the point: kept as whole numbers of millionths.
inline constexpr std::int64_t kWeightScale = 1'000'000;

struct CohortFiles {
  // seeker, helper, weight; also seeker_preference and helper_preference (the higher the better; else the weight),
  // fixed and forbidden (yes or no).
  std::string pairs;
  std::string capacities;  // side (seeker or helper), member, capacity; who is not there has one place
  std::string previous;    // seeker, helper: what was chosen before
  std::optional<std::int64_t> min_weight;
};

// Ids in order, so that the same files in any order are the same cohort.
struct Cohort {
  std::vector<std::string> seekers;
  std::vector<std::string> helpers;
  assignment::Problem problem;  // without fixed pairs, and the places that they take
  assignment::Preferences preferences;
  std::vector<assignment::Pair> fixed;
  std::vector<assignment::Pair> previous;
  std::int64_t forbidden = 0;
  std::int64_t below_minimum = 0;
};

// Errors: INVALID_ARGUMENT, naming file, line, column, value and remedy.
[[nodiscard]] absl::StatusOr<Cohort> ReadCohort(const CohortFiles& files);

// "0.83" as 830000; nothing for what is no such number.
[[nodiscard]] std::optional<std::int64_t> ParseWeight(const std::string& text);
[[nodiscard]] std::string WeightText(std::int64_t weight);

}  // namespace warmline::cli
