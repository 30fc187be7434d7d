// Who calls: the grant of a call's token or certificate, and where the call comes from. Thread-safety: all from any
// thread.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <string>

#include "application/access.h"

namespace warmline::api {

// The grant of the call's token, or else of its certificate. `verifier` may be null. Errors: UNAUTHENTICATED
// (TOKEN_MISSING, TOKEN_UNKNOWN, TOKEN_EXPIRED), also for a call that carries two tokens.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const application::GrantInForce>> Identify(
    const application::TokenRegistry& tokens, application::TokenVerifier* verifier, absl::Time now,
    const grpc::CallbackServerContext& context);

// The address of the caller; of whoever called this process over HTTP, where it calls itself.
[[nodiscard]] std::string PeerOf(const grpc::CallbackServerContext& context);

}  // namespace warmline::api
