// Use cases of connections and blocks. Each runs inside a write transaction, on the writing thread; the caller is
// authorised for the pool already.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "application/access.h"
#include "application/record_store.h"

namespace warmline::application {

// Whether either of the two blocks the other.
[[nodiscard]] absl::StatusOr<bool> IsBlocked(RecordReader& reader, const std::string& pool, const std::string& a,
                                             const std::string& b);

// Proposes a tie, as PENDING by one of its sides; an operator's is CONFIRMED. Errors: INVALID_ARGUMENT,
// PERMISSION_DENIED, NOT_FOUND (MEMBER_NOT_FOUND), ALREADY_EXISTS (CONNECTION_EXISTS), RESOURCE_EXHAUSTED
// (LIMIT_REACHED). A block between the two reads as MEMBER_NOT_FOUND.
[[nodiscard]] absl::StatusOr<domain::Connection> CreateConnection(WriteTransaction& tx, const Caller& caller,
                                                                  const std::string& pool,
                                                                  domain::Connection connection);
// By the side that did not propose it, or an operator. Errors: PERMISSION_DENIED, NOT_FOUND (CONNECTION_NOT_FOUND).
[[nodiscard]] absl::StatusOr<domain::Connection> ConfirmConnection(WriteTransaction& tx, const Caller& caller,
                                                                   const std::string& pool, const std::string& a,
                                                                   const std::string& b);
// By either side, or an operator; returns the revision. Errors: as above.
[[nodiscard]] absl::StatusOr<std::int64_t> DeleteConnection(WriteTransaction& tx, const Caller& caller,
                                                            const std::string& pool, const std::string& a,
                                                            const std::string& b);

// Blocks a member, and ends the tie and what is open between the two; returns the revision. Errors: INVALID_ARGUMENT,
// PERMISSION_DENIED, NOT_FOUND (MEMBER_NOT_FOUND), RESOURCE_EXHAUSTED (LIMIT_REACHED).
[[nodiscard]] absl::StatusOr<std::int64_t> CreateBlock(WriteTransaction& tx, const Caller& caller,
                                                       const std::string& pool, const domain::Block& block,
                                                       absl::Time now);
// Errors: PERMISSION_DENIED, NOT_FOUND (BLOCK_NOT_FOUND).
[[nodiscard]] absl::StatusOr<std::int64_t> DeleteBlock(WriteTransaction& tx, const Caller& caller,
                                                       const std::string& pool, const domain::Block& block);

// Keeps a tie as it is given, replacing what was there: for imports. Errors: INVALID_ARGUMENT, NOT_FOUND,
// RESOURCE_EXHAUSTED.
[[nodiscard]] absl::Status PutConnection(WriteTransaction& tx, const std::string& pool, domain::Connection& connection);

}  // namespace warmline::application
