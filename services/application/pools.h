// Use cases of pools: for operators. Each runs inside a write transaction, on the writing thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "application/record_store.h"

namespace warmline::application {

// Adds an empty pool. Errors: INVALID_ARGUMENT, ALREADY_EXISTS (POOL_EXISTS), RESOURCE_EXHAUSTED (LIMIT_REACHED).
[[nodiscard]] absl::StatusOr<domain::Pool> CreatePool(WriteTransaction& tx, domain::Pool pool, absl::Time now);

// Replaces the fields in `mask`. A changed policy gets the next version. `expected_revision` 0: unconditional.
// Errors: INVALID_ARGUMENT, NOT_FOUND (POOL_NOT_FOUND), ABORTED (ETAG_MISMATCH).
[[nodiscard]] absl::StatusOr<domain::Pool> UpdatePool(WriteTransaction& tx, const domain::Pool& pool,
                                                      const std::vector<std::string>& mask,
                                                      std::int64_t expected_revision);

// Fails unless the pool exists: NOT_FOUND (POOL_NOT_FOUND).
[[nodiscard]] absl::Status RequirePool(RecordReader& reader, const std::string& pool);

// The pool's rules for introductions. Errors: NOT_FOUND (POOL_NOT_FOUND).
[[nodiscard]] absl::StatusOr<domain::IntroductionRules> RulesOf(RecordReader& reader, const std::string& pool);

// ABORTED (ETAG_MISMATCH) unless `expected` is 0 or `actual`.
[[nodiscard]] absl::Status RequireRevision(std::int64_t expected, std::int64_t actual);

// Violations for an empty mask, or for fields that are not in `allowed`.
void ValidateMask(const std::vector<std::string>& mask, const std::vector<std::string>& allowed,
                  domain::Violations& violations);
[[nodiscard]] bool InMask(const std::vector<std::string>& mask, const char* field);

}  // namespace warmline::application
