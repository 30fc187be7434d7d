// AssignmentService's messages: what is wished, what came of it, and its proof. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "application/cohort.h"
#include "domain/error.h"
#include "warmline/store/v1/record.pb.h"
#include "warmline/v1/assignment_service.pb.h"

namespace warmline::api {

// Entries of a repeated field in one message of the stream: names in AssignedPairs, numbers in AssignProof.
inline constexpr int kPairsAMessage = 1'000;
inline constexpr int kProofEntriesAMessage = 50'000;

struct AssignWish {
  std::string pool;
  std::vector<std::string> needs;
  application::CohortOptions options;
  std::vector<application::NeedAndHelper> previous;
};

[[nodiscard]] AssignWish AssignWishOf(const std::string& pool, const warmline::v1::AssignRequest& request,
                                      domain::Violations& violations);

// Every need once, by id. `helpers_of_pool`: for the count of pairs that there are.
[[nodiscard]] warmline::store::v1::AssignReply AssignReplyOf(const AssignWish& wish,
                                                             const application::CohortPlan& plan,
                                                             std::int64_t helpers_of_pool);

// Calls `say` with every part of the proof, until it says false.
void TellProof(const AssignWish& wish, const application::CohortPlan& plan,
               const std::function<bool(warmline::v1::AssignProof)>& say);

}  // namespace warmline::api
