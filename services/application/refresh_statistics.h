// Use case: count a pool's statistics anew and keep them as the next generation. Runs inside a write transaction.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "application/pool_registry.h"

namespace warmline::application {

// The revision of the new generation. Errors: NOT_FOUND (POOL_NOT_FOUND), those of the store.
[[nodiscard]] absl::StatusOr<std::int64_t> RefreshStatistics(WriteTransaction& tx, const PoolRegistry& pools,
                                                             const std::string& pool);

}  // namespace warmline::application
