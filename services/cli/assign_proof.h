// The proof in AssignmentService's answer: put together, checked here without trust in the server, and kept as files
// that stand for themselves (docs/assignment.md). One thread.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <vector>

#include "cli/certificate_file.h"
#include "cli/cohort_file.h"
#include "warmline/v1/assignment_service.pb.h"

namespace warmline::cli {

class AssignProof {
 public:
  void Add(const warmline::v1::AssignProof& part);

  // Checks every stage and what the summary claims, for the pairs looked at and, by the bounds, for those that were
  // not. `fixed_score` is that of fixed pairs, which the summary counts. INVALID_ARGUMENT says what does not hold.
  [[nodiscard]] absl::Status Check(const warmline::v1::AssignRequest& request,
                                   const warmline::v1::AssignSummary& summary, std::int64_t fixed,
                                   std::int64_t fixed_score);

  // Of the pairs looked at, after Check: what `warmline assign PAIRS --capacities PLACES --verify PROOF` reads. A score
  // of 2^-20 is a weight of a millionth.
  [[nodiscard]] std::string PairsCsv() const;
  [[nodiscard]] std::string PlacesCsv() const;
  [[nodiscard]] std::string ProofJson() const { return ToJson(cohort_, proof_); }

 private:
  [[nodiscard]] absl::Status Assemble(const warmline::v1::AssignRequest& request);
  [[nodiscard]] absl::Status CheckBounds() const;

  std::vector<std::string> needs_;
  std::vector<std::int64_t> bounds_;
  std::vector<std::string> helpers_;
  std::vector<std::int32_t> places_;
  std::vector<assignment::Pair> pairs_;
  std::map<int, warmline::v1::ProofStage> stages_;
  Cohort cohort_;
  PlanProof proof_;
};

}  // namespace warmline::cli
