// Where Redis is, as a server's configuration says. Pure but for the password's file.
#pragma once

#include <absl/status/statusor.h>

#include "cache/redis/config.h"
#include "server/config.h"

namespace warmline::server {

// INVALID_ARGUMENT names the option that is wrong, and the remedy.
[[nodiscard]] absl::StatusOr<cache::redis::Config> RedisConfig(const Config& config);

}  // namespace warmline::server
