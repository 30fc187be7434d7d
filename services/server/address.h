// Addresses to listen on, and what this process is called. Thread-safety: any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <utility>

namespace warmline::server {

// "host:port" in two. INVALID_ARGUMENT, naming `field`, for what is none.
[[nodiscard]] absl::StatusOr<std::pair<std::string, int>> SplitHostPort(const std::string& listen, const char* field);
// Host name and port: unique among replicas, and the same after a restart.
[[nodiscard]] std::string ReplicaName(int port);

}  // namespace warmline::server
