// Secrets in files, so that they stand in no command line. Thread-safety: any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace warmline::server {

// The first line of a file. Errors: INVALID_ARGUMENT, naming `field`, for one that cannot be read.
[[nodiscard]] absl::StatusOr<std::string> ReadSecret(const std::string& path, const char* field);

}  // namespace warmline::server
