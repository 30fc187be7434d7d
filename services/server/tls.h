// How the API's port is secured, from files that are looked at again while the server runs. One thread.
#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "server/config.h"

namespace warmline::server {

// How often certificate, key and authority are read again; a pair that does not fit together is left for the next time.
inline constexpr unsigned kTlsRefreshSeconds = 1;

// Without --tls-cert-file the port is not encrypted. Errors: INVALID_ARGUMENT, naming the flag, for files that cannot
// be read, hold no certificate or key, or do not fit together.
[[nodiscard]] absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const Config& config);

}  // namespace warmline::server
