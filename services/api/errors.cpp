#include "api/errors.h"

#include <spdlog/spdlog.h>

#include "codec/time.h"
#include "domain/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "warmline/v1/error_reason.pb.h"

namespace warmline::api {
namespace {

static_assert(static_cast<int>(domain::ErrorReason::kMarketNotMeasured) == warmline::v1::MARKET_NOT_MEASURED,
              "the two lists of reasons are one");
static_assert(static_cast<int>(domain::ErrorReason::kStoreFull) == warmline::v1::STORE_FULL);

constexpr char kDomain[] = "warmline";

}  // namespace

std::string ReasonName(const absl::Status& status) {
  return warmline::v1::ErrorReason_Name(static_cast<warmline::v1::ErrorReason>(domain::ReasonOf(status)));
}

const char* CodeName(absl::StatusCode code) {
  static constexpr const char* kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames[static_cast<int>(code)];
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto reason = domain::ReasonOf(status);
  std::string message(status.message());
  auto code = static_cast<grpc::StatusCode>(status.code());
  if (reason == domain::ErrorReason::kUnspecified || reason == domain::ErrorReason::kInternalDefect) {
    spdlog::error("call failed: {}", message);
    code = grpc::StatusCode::INTERNAL;
    message = "an internal error: the server's log says more";
  }
  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(reason == domain::ErrorReason::kUnspecified ? "INTERNAL_DEFECT" : ReasonName(status));
  info.set_domain(kDomain);
  details.add_details()->PackFrom(info);
  if (const auto violations = domain::ViolationsOf(status); !violations.empty()) {
    google::rpc::BadRequest bad_request;
    for (const auto& violation : violations) {
      auto* field = bad_request.add_field_violations();
      field->set_field(violation.field);
      field->set_description(violation.description);
    }
    details.add_details()->PackFrom(bad_request);
  }
  if (const auto after = domain::RetryAfterOf(status)) {
    google::rpc::RetryInfo retry;
    codec::SetDuration(*after, retry.mutable_retry_delay());
    details.add_details()->PackFrom(retry);
  }
  if (status.code() == absl::StatusCode::kResourceExhausted && reason != domain::ErrorReason::kOverloaded) {
    google::rpc::QuotaFailure quota;
    quota.add_violations()->set_description(message);
    details.add_details()->PackFrom(quota);
  }
  return {code, message, details.SerializeAsString()};
}

}  // namespace warmline::api
