// The tables of the cluster's store, in versions. A step only adds what the version before it can live beside (expand);
// what nobody needs any longer is taken away by a later step (contract), so replicas of two versions run side by side.
// Thread-safety: one thread at a time.
#pragma once

#include <absl/status/status.h>

#include "storage/postgres/connection.h"

namespace warmline::storage::postgres {

// The version that this program reads and writes.
inline constexpr std::int64_t kSchemaVersion = 4;

struct SchemaState {
  std::int64_t version = 0;
  // The oldest program version that can live with it.
  std::int64_t compatible_from = 0;
};

// Brings the database to kSchemaVersion, each step in a transaction, one process at a time (an advisory lock). A newer
// schema is left alone, and is an error (INTERNAL_DEFECT) only when it says that this version cannot live with it.
[[nodiscard]] absl::Status Migrate(Connection& connection);
// The schema as it stands; version 0 in an empty database.
[[nodiscard]] absl::StatusOr<SchemaState> ReadSchema(Connection& connection);

}  // namespace warmline::storage::postgres
