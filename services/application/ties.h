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

// Proposes a tie, as PENDING by one of its sides; an operator's is CONFIRMED. The other side of a proposal need not be
// there, and one who blocks the proposer does not see it: the answer is the same (docs/adr/0014). Errors:
// INVALID_ARGUMENT, PERMISSION_DENIED, NOT_FOUND (MEMBER_NOT_FOUND: the acting member; to operators either side),
// ALREADY_EXISTS (CONNECTION_EXISTS), RESOURCE_EXHAUSTED (LIMIT_REACHED).
[[nodiscard]] absl::StatusOr<domain::Connection> CreateConnection(WriteTransaction& tx, const Caller& caller,
                                                                  const std::string& pool,
                                                                  domain::Connection connection);
// By the side that did not propose it, or an operator. Errors: PERMISSION_DENIED, NOT_FOUND (CONNECTION_NOT_FOUND).
[[nodiscard]] absl::StatusOr<domain::Connection> ConfirmConnection(WriteTransaction& tx, const Caller& caller,
                                                                   const std::string& pool, const std::string& a,
                                                                   const std::string& b);
// By either side, or an operator; returns the revision. A proposal of the other side is only hidden from the caller.
// Errors: as above.
[[nodiscard]] absl::StatusOr<std::int64_t> DeleteConnection(WriteTransaction& tx, const Caller& caller,
                                                            const std::string& pool, const std::string& a,
                                                            const std::string& b);

// Blocks a member, and ends the tie and what is open between the two; returns the revision. Whom a member blocks need
// not be there. Errors: INVALID_ARGUMENT, PERMISSION_DENIED, NOT_FOUND (MEMBER_NOT_FOUND: the blocker; to operators
// either side), RESOURCE_EXHAUSTED (LIMIT_REACHED).
[[nodiscard]] absl::StatusOr<std::int64_t> CreateBlock(WriteTransaction& tx, const Caller& caller,
                                                       const std::string& pool, const domain::Block& block,
                                                       absl::Time now);
// Errors: PERMISSION_DENIED, NOT_FOUND (BLOCK_NOT_FOUND).
[[nodiscard]] absl::StatusOr<std::int64_t> DeleteBlock(WriteTransaction& tx, const Caller& caller,
                                                       const std::string& pool, const domain::Block& block);

// Keep a tie or a block as it is given, replacing what was there: for imports. The other side of a proposal, and
// whoever is blocked, need not be there. Errors: NOT_FOUND, RESOURCE_EXHAUSTED.
[[nodiscard]] absl::StatusOr<std::int64_t> PutBlock(WriteTransaction& tx, const std::string& pool,
                                                    const domain::Block& block, absl::Time now);
[[nodiscard]] absl::Status PutConnection(WriteTransaction& tx, const std::string& pool, domain::Connection& connection);

}  // namespace warmline::application
