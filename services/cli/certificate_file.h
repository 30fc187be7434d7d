// The proof of a plan as a JSON file, which stands for itself beside the cohort's files: docs/assignment.md says what
// is in it, and how anyone can check it. Pure.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "assignment/plan.h"
#include "cli/cohort_file.h"

namespace warmline::cli {

struct PlanProof {
  assignment::PlanOptions options;
  assignment::Plan plan;
};

[[nodiscard]] std::string ToJson(const Cohort& cohort, const PlanProof& proof);
// Errors: INVALID_ARGUMENT for a file that is no certificate, or one of another cohort.
[[nodiscard]] absl::StatusOr<PlanProof> ReadProof(const Cohort& cohort, const std::string& json);

}  // namespace warmline::cli
