// Errors that programs can act on: an absl::Status with a published reason, the fields that are wrong, and when to try
// again. Values; thread-safe as such. Only services/api turns them into what travels over the wire.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace warmline::domain {

// The names of warmline.v1.ErrorReason, in its order and with its numbers.
enum class ErrorReason {
  kUnspecified = 0,
  kInvalidFields,
  kPoolNotFound,
  kMemberNotFound,
  kConnectionNotFound,
  kBlockNotFound,
  kNeedNotFound,
  kErasureNotFound,
  kPoolExists,
  kMemberExists,
  kConnectionExists,
  kNeedExists,
  kTokenMissing,
  kTokenUnknown,
  kAudienceNotAllowed,
  kPoolNotAllowed,
  kActingMemberNotAllowed,
  kEtagMismatch,
  kRequestIdReused,
  kRevisionOfAnotherHistory,
  kRevisionNotReached,
  kNeedIsClosed,
  kStoreUnavailable,
  kStoreFull,
  kOverloaded,
  kLimitReached,
  kDraining,
  kInternalDefect,
  kDeadlinePassed,
  kCallCancelled,
  kReplicaStale,
  kIntroductionNotFound,
  kMoveNotAllowed,
  kNotMatched,
  kHelperNotAvailable,
  kHelperIsFull,
  kSeekerBudgetSpent,
  kIntroducerBudgetSpent,
  kIntroducerNeeded,
  kAskIsOpen,
  kCoolingDown,
  kMessageRepeated,
  kMemberSuspended,
  kRoleNotAllowed,
  kCallRateExceeded,
  kTokenExpired,
  kMarketNotMeasured,
};

// A field that is wrong: its path, and what is wrong with the remedy.
struct Violation {
  std::string field;
  std::string description;
};

// An error with its reason. The status code follows from the reason. `retry_after` where trying again can help.
[[nodiscard]] absl::Status MakeError(ErrorReason reason, std::string_view message,
                                     std::optional<absl::Duration> retry_after = {});

// The reason of an error; kUnspecified for one that has none.
[[nodiscard]] ErrorReason ReasonOf(const absl::Status& status);
// When to try again, where the error says so.
[[nodiscard]] std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);
// The fields that are wrong.
[[nodiscard]] std::vector<Violation> ViolationsOf(const absl::Status& status);

// Collects every violation of one input. At most kMaxViolations are kept; the last says how many more there are.
inline constexpr int kMaxViolations = 100;
class Violations {
 public:
  void Add(std::string field, std::string description);
  [[nodiscard]] bool empty() const { return total_ == 0; }
  // Adds those of `other` whose field is not named yet: what reading found says more than what checking finds after it.
  void Absorb(const Violations& other);
  // OK, or INVALID_ARGUMENT with reason kInvalidFields and all violations.
  [[nodiscard]] absl::Status ToStatus() const;

 private:
  std::vector<Violation> kept_;
  int total_ = 0;
};

// `text` in quotes for an error message: cut at 60 bytes, control and invalid bytes escaped.
[[nodiscard]] std::string Quoted(std::string_view text);

}  // namespace warmline::domain
