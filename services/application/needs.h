// Use cases of needs. Each runs inside a write transaction, on the writing thread; the caller is authorised for the
// pool already.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "application/access.h"
#include "application/record_store.h"

namespace warmline::application {

// Stores a need. By its seeker, or an operator. Errors: INVALID_ARGUMENT, PERMISSION_DENIED, NOT_FOUND
// (MEMBER_NOT_FOUND), ALREADY_EXISTS (NEED_EXISTS), RESOURCE_EXHAUSTED (LIMIT_REACHED).
[[nodiscard]] absl::StatusOr<domain::Need> CreateNeed(WriteTransaction& tx, const Caller& caller,
                                                      const std::string& pool, domain::Need need, absl::Time now);
// Replaces the fields in `mask`. Errors: also NOT_FOUND (NEED_NOT_FOUND), ABORTED (ETAG_MISMATCH), FAILED_PRECONDITION
// (NEED_IS_CLOSED).
[[nodiscard]] absl::StatusOr<domain::Need> UpdateNeed(WriteTransaction& tx, const Caller& caller,
                                                      const std::string& pool, const domain::Need& need,
                                                      const std::vector<std::string>& mask);
// Ends a need, and the asks for it that nobody accepted yet. Closing again changes nothing.
[[nodiscard]] absl::StatusOr<domain::Need> CloseNeed(WriteTransaction& tx, const Caller& caller,
                                                     const std::string& pool, const std::string& id,
                                                     domain::CloseReason reason, absl::Time now);
// The need, where the caller may see it. Another seeker's reads as not found.
[[nodiscard]] absl::StatusOr<domain::Need> FindNeed(RecordReader& reader, const Caller& caller, const std::string& pool,
                                                    const std::string& id);

// NOT_FOUND (NEED_NOT_FOUND), naming the need.
[[nodiscard]] absl::Status NeedNotFound(const std::string& pool, const std::string& id);
// FAILED_PRECONDITION (NEED_IS_CLOSED).
[[nodiscard]] absl::Status NeedIsClosed(const std::string& pool, const std::string& id);

}  // namespace warmline::application
