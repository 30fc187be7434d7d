// The one place where an absl::Status becomes what travels over the wire, with google.rpc details. Pure; thread-safe.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

namespace warmline::api {

// A status without a reason (a defect) becomes INTERNAL without its text: that goes to the log.
[[nodiscard]] grpc::Status ToGrpc(const absl::Status& status);

// The name of a reason in warmline.v1.ErrorReason.
[[nodiscard]] std::string ReasonName(const absl::Status& status);
// The canonical name of a status code, for example "NOT_FOUND".
[[nodiscard]] const char* CodeName(absl::StatusCode code);

}  // namespace warmline::api
