// The tokens of a server: from a file, or one for the operator, made at the first start. Pure but for files; one
// thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "application/access.h"
#include "server/config.h"

namespace warmline::server {

// Reads `{"tokens": [{"name", "token", "token_sha256" (hex) or "certificate" (name), "roles": [], "audiences": [],
// "pools": [], "members": [], "calls_per_second"}]}`. INVALID_ARGUMENT names the entry and what is wrong; unknown keys
// are errors.
[[nodiscard]] absl::StatusOr<application::TokenTable> ReadTokens(const std::string& path);

// The operator's token of a data directory, made (mode 0600) if there is none.
[[nodiscard]] absl::StatusOr<std::string> EnsureOperatorToken(const std::string& data_dir);

// An address that only this machine reaches.
[[nodiscard]] bool IsLoopback(const std::string& listen);

// The tokens that a configuration asks for. A server that others can reach must have a token file.
[[nodiscard]] absl::StatusOr<application::TokenTable> LoadTokens(const Config& config);

}  // namespace warmline::server
