// What happens to introductions: each move, made by a party or by the pool itself, with all that follows from it in the
// same transaction: places taken and returned, cool-downs, the next target of the same ask, evidence. Everything runs
// inside a write transaction, on the writing thread; the caller is authorised for the pool already.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "application/access.h"
#include "application/ask_plan.h"
#include "application/record_store.h"
#include "domain/introduction_moves.h"
#include "domain/introduction_visibility.h"

namespace warmline::application {

// Ids of introductions are in the order in which they are made, to the millisecond: this stands before all of a time.
[[nodiscard]] std::string IntroductionIdAt(absl::Time time);
// NOT_FOUND (INTRODUCTION_NOT_FOUND).
[[nodiscard]] absl::Status IntroductionNotFound(const std::string& pool, const std::string& id);
// The introduction, with what the caller is to it. Others' read as not found.
struct SeenIntroduction {
  domain::Introduction introduction;
  domain::Viewer viewer = domain::Viewer::kNobody;
};
[[nodiscard]] absl::StatusOr<SeenIntroduction> FindIntroduction(RecordReader& reader, const Caller& caller,
                                                                const std::string& pool, const std::string& id);

// Makes an ask of all targets, and asks the first. Errors: the first refusal (application/ask_rules.h); for further
// targets only those of the match and of the message, since their turn may be weeks away.
[[nodiscard]] absl::StatusOr<domain::Introduction> RequestIntroduction(WriteTransaction& tx, const std::string& pool,
                                                                       const AskPlan& plan,
                                                                       const std::string& request_id, absl::Time now);

// What a move carries.
struct MoveInput {
  std::string id;
  std::int64_t revision = 0;  // 0: whatever it is
  std::string text;           // the note, the question or the answer
};
// Errors of each: NOT_FOUND (INTRODUCTION_NOT_FOUND), ABORTED (ETAG_MISMATCH), FAILED_PRECONDITION (MOVE_NOT_ALLOWED),
// INVALID_ARGUMENT for a text that is too long, or missing.
[[nodiscard]] absl::StatusOr<SeenIntroduction> Forward(WriteTransaction& tx, const Caller& caller,
                                                       const std::string& pool, const MoveInput& input, absl::Time now);
[[nodiscard]] absl::StatusOr<SeenIntroduction> Accept(WriteTransaction& tx, const Caller& caller,
                                                      const std::string& pool, const MoveInput& input, absl::Time now);
[[nodiscard]] absl::StatusOr<SeenIntroduction> Decline(WriteTransaction& tx, const Caller& caller,
                                                       const std::string& pool, const MoveInput& input, absl::Time now);
[[nodiscard]] absl::StatusOr<SeenIntroduction> AskMore(WriteTransaction& tx, const Caller& caller,
                                                       const std::string& pool, const MoveInput& input, absl::Time now);
[[nodiscard]] absl::StatusOr<SeenIntroduction> Answer(WriteTransaction& tx, const Caller& caller,
                                                      const std::string& pool, const MoveInput& input, absl::Time now);
[[nodiscard]] absl::StatusOr<SeenIntroduction> Cancel(WriteTransaction& tx, const Caller& caller,
                                                      const std::string& pool, const MoveInput& input, absl::Time now);
[[nodiscard]] absl::StatusOr<SeenIntroduction> ReportOutcome(WriteTransaction& tx, const Caller& caller,
                                                             const std::string& pool, const MoveInput& input,
                                                             domain::OutcomeKind kind, absl::Time now);
[[nodiscard]] absl::StatusOr<SeenIntroduction> ReportAbuse(WriteTransaction& tx, const Caller& caller,
                                                           const std::string& pool, const MoveInput& input,
                                                           absl::Time now);
// Operators: suspends a party of the introduction, and closes what it has open; or ends the suspension.
[[nodiscard]] absl::StatusOr<SeenIntroduction> ResolveReport(WriteTransaction& tx, const Caller& caller,
                                                             const std::string& pool, const std::string& id,
                                                             const std::string& member, bool suspend, absl::Time now);

// What time does: what is due of an introduction by `now`. Doing it again changes nothing, so any number of replicas
// may.
[[nodiscard]] absl::Status MakeDueMoves(WriteTransaction& tx, const std::string& pool, const std::string& id,
                                        absl::Time now);

// Ends, kindly, what is open between two members, of a member who leaves or is suspended (`accepted` ones too), who
// takes no asks for now, or of a need that is closed; places are returned.
[[nodiscard]] absl::Status CloseBetween(WriteTransaction& tx, const std::string& pool, const std::string& a,
                                        const std::string& b, absl::Time now);
[[nodiscard]] absl::Status CloseAllOf(WriteTransaction& tx, const std::string& pool, const std::string& member,
                                      absl::Time now);
[[nodiscard]] absl::Status CloseUnansweredAsksTo(WriteTransaction& tx, const std::string& pool,
                                                 const std::string& helper, absl::Time now);
[[nodiscard]] absl::Status CloseAsksFor(WriteTransaction& tx, const std::string& pool, const domain::Need& need,
                                        absl::Time now);
// Before a member is erased: what they asked no longer counts in the weeks of others, and the name and the note of an
// introducer go out of all introductions.
[[nodiscard]] absl::Status PrepareErasure(WriteTransaction& tx, const std::string& pool, const std::string& member,
                                          absl::Time now);

}  // namespace warmline::application
