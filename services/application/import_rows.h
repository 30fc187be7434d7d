// Use case: many rows at once, each kept or refused by itself. Runs inside a write transaction, on the writing thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <variant>
#include <vector>

#include "application/record_store.h"

namespace warmline::application {

// A row as it was read, or the error of reading it.
using ImportRow = std::variant<absl::Status, domain::Member, domain::Connection, domain::Block, domain::Need>;

struct ImportOptions {
  // Offers and ties are vouched for by the operator.
  bool vouch = false;
};

struct RefusedRow {
  std::int64_t row = 0;
  absl::Status error;
};

// Keeps each row, replacing a record of the same name; returns the rows that were refused, numbered from `first_row`.
// Errors: only those of the store, and NOT_FOUND (POOL_NOT_FOUND); then no row is kept.
[[nodiscard]] absl::StatusOr<std::vector<RefusedRow>> ImportRows(WriteTransaction& tx, const std::string& pool,
                                                                 std::vector<ImportRow>& rows, std::int64_t first_row,
                                                                 const ImportOptions& options, absl::Time now);

}  // namespace warmline::application
