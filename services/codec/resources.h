// Between the messages of warmline.v1 and the domain: pure translation. What a message cannot say rightly (an unknown
// enum value, a name of another shape) is added to the violations with its field path; limits and rules are the
// domain's to check. Thread-safety: pure functions.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "domain/error.h"
#include "domain/member.h"
#include "domain/need.h"
#include "domain/pool.h"
#include "warmline/v1/pool_service.pb.h"
#include "warmline/v1/types.pb.h"

namespace warmline::codec {

// To messages. `pool` is the pool's id; secrets (tokens, hashes) never enter.
[[nodiscard]] warmline::v1::Pool ToProto(const domain::Pool& pool);
[[nodiscard]] warmline::v1::Member ToProto(const std::string& pool, const domain::Member& member);
// `whole`: with what only operators and the store see.
[[nodiscard]] warmline::v1::Connection ToProto(const std::string& pool, const domain::Connection& connection,
                                               bool whole = false);
[[nodiscard]] warmline::v1::Block ToProto(const std::string& pool, const domain::Block& block);
[[nodiscard]] warmline::v1::Need ToProto(const std::string& pool, const domain::Need& need);

// From messages. `prefix` stands before field paths, for example "member.". Ids are taken from `name`, which may be a
// bare id or a resource name of `pool`; empty names give empty ids. Output-only fields are read too: stored records
// carry them, and use cases that take a caller's record reset them.
[[nodiscard]] domain::Pool FromProto(const warmline::v1::Pool& message, const std::string& prefix,
                                     domain::Violations& violations);
[[nodiscard]] domain::Member FromProto(const std::string& pool, const warmline::v1::Member& message,
                                       const std::string& prefix, domain::Violations& violations);
[[nodiscard]] domain::Connection FromProto(const std::string& pool, const warmline::v1::Connection& message,
                                           const std::string& prefix, domain::Violations& violations);
[[nodiscard]] domain::Block FromProto(const std::string& pool, const warmline::v1::Block& message,
                                      const std::string& prefix, domain::Violations& violations);
[[nodiscard]] domain::Need FromProto(const std::string& pool, const warmline::v1::Need& message,
                                     const std::string& prefix, domain::Violations& violations);

// The id of `name`, a bare id or `pools/{pool}/{collection}/{id}`; a name of another pool or shape is a violation.
[[nodiscard]] std::string IdOf(const std::string& pool, std::string_view collection, const std::string& name,
                               const std::string& field, domain::Violations& violations);

// An etag, and back; 0 for an empty one, -1 for one that no record has.
[[nodiscard]] std::string EtagOf(std::int64_t revision);
[[nodiscard]] std::int64_t RevisionOfEtag(const std::string& etag);

// The enum value, or its zero with a violation when the number is not known.
template <typename Domain, typename Proto>
[[nodiscard]] Domain EnumFromProto(Proto value, bool (*is_valid)(int), const char* type, const std::string& field,
                                   domain::Violations& violations) {
  if (!is_valid(static_cast<int>(value))) {
    violations.Add(field, std::to_string(static_cast<int>(value)) + " is not a value of " + type +
                              ": use one that this version of the API names");
    return static_cast<Domain>(0);
  }
  return static_cast<Domain>(value);
}

}  // namespace warmline::codec
