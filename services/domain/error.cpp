#include "domain/error.h"

#include <absl/strings/cord.h>
#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "domain/text.h"

namespace warmline::domain {
namespace {

constexpr absl::string_view kReasonUrl = "warmline/reason";
constexpr absl::string_view kRetryUrl = "warmline/retry_after_ms";
constexpr absl::string_view kViolationsUrl = "warmline/violations";
// Separators that no field path and no escaped description holds.
constexpr char kUnitSeparator = '\x1f';
constexpr char kRecordSeparator = '\x1e';

absl::StatusCode CodeOf(ErrorReason reason) {
  switch (reason) {
    case ErrorReason::kInvalidFields:
      return absl::StatusCode::kInvalidArgument;
    case ErrorReason::kPoolNotFound:
    case ErrorReason::kMemberNotFound:
    case ErrorReason::kConnectionNotFound:
    case ErrorReason::kBlockNotFound:
    case ErrorReason::kNeedNotFound:
    case ErrorReason::kErasureNotFound:
    case ErrorReason::kIntroductionNotFound:
      return absl::StatusCode::kNotFound;
    case ErrorReason::kPoolExists:
    case ErrorReason::kMemberExists:
    case ErrorReason::kConnectionExists:
    case ErrorReason::kNeedExists:
    case ErrorReason::kAskIsOpen:
      return absl::StatusCode::kAlreadyExists;
    case ErrorReason::kTokenMissing:
    case ErrorReason::kTokenUnknown:
    case ErrorReason::kTokenExpired:
      return absl::StatusCode::kUnauthenticated;
    case ErrorReason::kAudienceNotAllowed:
    case ErrorReason::kPoolNotAllowed:
    case ErrorReason::kActingMemberNotAllowed:
    case ErrorReason::kRoleNotAllowed:
      return absl::StatusCode::kPermissionDenied;
    case ErrorReason::kEtagMismatch:
      return absl::StatusCode::kAborted;
    case ErrorReason::kRequestIdReused:
    case ErrorReason::kRevisionOfAnotherHistory:
    case ErrorReason::kNeedIsClosed:
    case ErrorReason::kMoveNotAllowed:
    case ErrorReason::kNotMatched:
    case ErrorReason::kHelperNotAvailable:
    case ErrorReason::kIntroducerNeeded:
    case ErrorReason::kCoolingDown:
    case ErrorReason::kMessageRepeated:
    case ErrorReason::kMemberSuspended:
      return absl::StatusCode::kFailedPrecondition;
    case ErrorReason::kRevisionNotReached:
    case ErrorReason::kStoreUnavailable:
    case ErrorReason::kStoreFull:
    case ErrorReason::kDraining:
    case ErrorReason::kReplicaStale:
    case ErrorReason::kMarketNotMeasured:
      return absl::StatusCode::kUnavailable;
    case ErrorReason::kOverloaded:
    case ErrorReason::kCallRateExceeded:
    case ErrorReason::kLimitReached:
    case ErrorReason::kHelperIsFull:
    case ErrorReason::kSeekerBudgetSpent:
    case ErrorReason::kIntroducerBudgetSpent:
      return absl::StatusCode::kResourceExhausted;
    case ErrorReason::kDeadlinePassed:
      return absl::StatusCode::kDeadlineExceeded;
    case ErrorReason::kCallCancelled:
      return absl::StatusCode::kCancelled;
    case ErrorReason::kUnspecified:
    case ErrorReason::kInternalDefect:
      break;
  }
  return absl::StatusCode::kInternal;
}

std::optional<std::string> PayloadOf(const absl::Status& status, absl::string_view url) {
  const auto cord = status.GetPayload(url);
  if (!cord) return std::nullopt;
  return std::string(*cord);
}

}  // namespace

absl::Status MakeError(ErrorReason reason, std::string_view message, std::optional<absl::Duration> retry_after) {
  absl::Status status(CodeOf(reason), base::AbslView(message));
  status.SetPayload(kReasonUrl, absl::Cord(absl::StrCat(static_cast<int>(reason))));
  if (retry_after) status.SetPayload(kRetryUrl, absl::Cord(absl::StrCat(absl::ToInt64Milliseconds(*retry_after))));
  return status;
}

ErrorReason ReasonOf(const absl::Status& status) {
  int number = 0;
  const auto payload = PayloadOf(status, kReasonUrl);
  if (!payload || !absl::SimpleAtoi(*payload, &number)) return ErrorReason::kUnspecified;
  return static_cast<ErrorReason>(number);
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  std::int64_t ms = 0;
  const auto payload = PayloadOf(status, kRetryUrl);
  if (!payload || !absl::SimpleAtoi(*payload, &ms)) return std::nullopt;
  return absl::Milliseconds(ms);
}

std::vector<Violation> ViolationsOf(const absl::Status& status) {
  std::vector<Violation> result;
  const auto payload = PayloadOf(status, kViolationsUrl);
  if (!payload) return result;
  for (const absl::string_view record : absl::StrSplit(*payload, kRecordSeparator, absl::SkipEmpty())) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(record, absl::MaxSplits(kUnitSeparator, 1));
    result.push_back({parts.first, parts.second});
  }
  return result;
}

void Violations::Add(std::string field, std::string description) {
  ++total_;
  if (static_cast<int>(kept_.size()) < kMaxViolations) kept_.push_back({std::move(field), std::move(description)});
}

void Violations::Absorb(const Violations& other) {
  for (const Violation& violation : other.kept_) {
    const bool known =
        std::any_of(kept_.begin(), kept_.end(), [&](const Violation& v) { return v.field == violation.field; });
    if (!known) Add(violation.field, violation.description);
  }
}

absl::Status Violations::ToStatus() const {
  if (empty()) return absl::OkStatus();
  std::string records;
  for (const Violation& v : kept_) {
    absl::StrAppend(&records, v.field, std::string(1, kUnitSeparator), v.description, std::string(1, kRecordSeparator));
  }
  std::string message = absl::StrCat(kept_[0].field, ": ", kept_[0].description);
  if (total_ > 1) absl::StrAppend(&message, " (and ", total_ - 1, " more)");
  absl::Status status = MakeError(ErrorReason::kInvalidFields, message);
  status.SetPayload(kViolationsUrl, absl::Cord(records));
  return status;
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  const bool cut = text.size() > kShown;
  if (cut) {
    text = text.substr(0, kShown);
    // Never cut inside a UTF-8 character.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.remove_suffix(1);
    if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.remove_suffix(1);
  }
  // Text that is not UTF-8 is escaped byte by byte: an error message must be fit to be sent.
  const std::string escaped =
      CountCodePoints(text) < 0 ? absl::CEscape(base::AbslView(text)) : absl::Utf8SafeCEscape(base::AbslView(text));
  return absl::StrCat("\"", escaped, cut ? "…\"" : "\"");
}

}  // namespace warmline::domain
