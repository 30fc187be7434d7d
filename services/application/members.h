// Use cases of members. Each runs inside a write transaction, on the writing thread. The caller is authorised for the
// pool already.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "application/access.h"
#include "application/record_store.h"

namespace warmline::application {

// Adds a member; an offer begins UNCONFIRMED. Operators only. Errors: INVALID_ARGUMENT, ALREADY_EXISTS (MEMBER_EXISTS),
// NOT_FOUND (POOL_NOT_FOUND).
[[nodiscard]] absl::StatusOr<domain::Member> CreateMember(WriteTransaction& tx, const Caller& caller,
                                                          const std::string& pool, domain::Member member,
                                                          absl::Time now);

// Replaces the fields in `mask`. An offer that the helper writes is SELF_CONFIRMED; an operator's keeps what it was.
// Errors: INVALID_ARGUMENT, PERMISSION_DENIED, NOT_FOUND (MEMBER_NOT_FOUND), ABORTED (ETAG_MISMATCH).
[[nodiscard]] absl::StatusOr<domain::Member> UpdateMember(WriteTransaction& tx, const Caller& caller,
                                                          const std::string& pool, const domain::Member& member,
                                                          const std::vector<std::string>& mask, absl::Time now);

// SELF_CONFIRMED by the helper, VOUCHED by an operator. Errors: as above; INVALID_ARGUMENT for a member without an
// offer.
[[nodiscard]] absl::StatusOr<domain::Member> ConfirmOffer(WriteTransaction& tx, const Caller& caller,
                                                          const std::string& pool, const std::string& id,
                                                          absl::Time now);

// Removes a member everywhere. By an operator or the member. Errors: PERMISSION_DENIED, NOT_FOUND (MEMBER_NOT_FOUND).
[[nodiscard]] absl::StatusOr<ErasureRecord> EraseMember(WriteTransaction& tx, const Caller& caller,
                                                        const std::string& pool, const std::string& id, absl::Time now);

// The member. Errors: NOT_FOUND (POOL_NOT_FOUND, MEMBER_NOT_FOUND).
[[nodiscard]] absl::StatusOr<domain::Member> FindMember(RecordReader& reader, const std::string& pool,
                                                        const std::string& id);

// NOT_FOUND (MEMBER_NOT_FOUND), in the same words for a member who is not there and for one whom the caller may not
// know of.
[[nodiscard]] absl::Status MemberNotFound(const std::string& pool, const std::string& id);

}  // namespace warmline::application
