// The tables of the embedded store, in versions. Thread-safety: one thread at a time.
#pragma once

#include <absl/status/status.h>

#include "storage/sqlite/database.h"

namespace warmline::storage::sqlite {

// The version that this program reads and writes.
inline constexpr std::int64_t kSchemaVersion = 4;

// Brings a database to kSchemaVersion, each step in a transaction. FAILED_PRECONDITION-like refusal (INTERNAL_DEFECT)
// for a newer one.
[[nodiscard]] absl::Status Migrate(Database& database, const std::string& path);

}  // namespace warmline::storage::sqlite
