// Stored records as bytes: the payloads of the store's tables and of its change log. Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "domain/change.h"

namespace warmline::codec {

[[nodiscard]] std::string Encode(const domain::Pool& pool);
[[nodiscard]] std::string Encode(const std::string& pool, const domain::Member& member);
[[nodiscard]] std::string Encode(const std::string& pool, const domain::Connection& connection);
[[nodiscard]] std::string Encode(const std::string& pool, const domain::Need& need);
[[nodiscard]] std::string Encode(const std::string& pool, const domain::Introduction& introduction);
[[nodiscard]] std::string Encode(const domain::Statistics& statistics);
// The bytes of a stored need, and of a row of the change log that tells of one, in which it excludes a member.
[[nodiscard]] std::string ExclusionBytes(const std::string& pool, const std::string& member);
// What stands in for the id of an erased member.
struct ErasedName {
  std::string hash;
  std::string locator;
};
// A generation of statistics is named, not repeated.
[[nodiscard]] std::string EncodeChange(const std::string& pool, const domain::ChangeBody& body,
                                       const ErasedName& erased);

// Errors: INTERNAL for bytes that no Encode made (a damaged store).
[[nodiscard]] absl::StatusOr<domain::Pool> DecodePool(const std::string& bytes);
[[nodiscard]] absl::StatusOr<domain::Member> DecodeMember(const std::string& pool, const std::string& bytes);
[[nodiscard]] absl::StatusOr<domain::Connection> DecodeConnection(const std::string& pool, const std::string& bytes);
[[nodiscard]] absl::StatusOr<domain::Need> DecodeNeed(const std::string& pool, const std::string& bytes);
[[nodiscard]] absl::StatusOr<domain::Introduction> DecodeIntroduction(const std::string& pool,
                                                                      const std::string& bytes);
[[nodiscard]] absl::StatusOr<domain::Statistics> DecodeStatistics(const std::string& bytes);
// A MemberErased comes back with its hash, and its locator in `erased_locator`; Statistics with their generation only,
// an erased payload as monostate.
[[nodiscard]] absl::StatusOr<domain::ChangeBody> DecodeChange(const std::string& pool, const std::string& bytes,
                                                              std::string* erased_locator);

}  // namespace warmline::codec
