// Between MatchService's messages and the use cases: what a request asks, and what an answer shows to whom. Pure;
// thread-safe.
#pragma once

#include <string>

#include "api/call.h"
#include "application/match_need.h"
#include "warmline/v1/match_service.pb.h"

namespace warmline::api {

// The need that a MatchRequest or ExplainRequest names or carries.
template <typename Request>
[[nodiscard]] application::NeedSubject SubjectOf(const std::string& pool, const Request& request,
                                                 domain::Violations& violations);

// The helper that a call is about, by name or by the token of a masked match, and whether by token; `prefix` stands
// before the names of the fields. Errors: INVALID_ARGUMENT, and those of application::ResolveNeed.
[[nodiscard]] absl::StatusOr<std::pair<std::string, bool>> HelperOf(Call& call, const std::string& pool,
                                                                    const std::string& helper,
                                                                    const std::string& candidate,
                                                                    const std::string& prefix,
                                                                    const application::NeedSubject& subject);

// Reads the tokens of masked matches that a request leaves out, which are of the subject's need. Errors:
// INVALID_ARGUMENT, and those of application::ResolveNeed.
[[nodiscard]] absl::Status ReadExcluded(Call& call, const std::string& pool,
                                        const google::protobuf::RepeatedPtrField<std::string>& candidates,
                                        application::NeedSubject& subject);

// Counts below this are not said exactly to any but operators.
inline constexpr std::int64_t kSmallCount = 5;

// 1 to 100; 0 is read as 10. A violation otherwise.
[[nodiscard]] int TopKOf(int asked, domain::Violations& violations);

// Fills the answer as the caller may see it.
void SetAnswer(const Call& call, Environment& environment, const std::string& pool,
               const application::MatchAnswer& answer, warmline::v1::MatchResponse* response);
void SetExplanation(const Call& call, Environment& environment, const std::string& pool,
                    const application::ExplainAnswer& answer, warmline::v1::ExplainResponse* response);

}  // namespace warmline::api
