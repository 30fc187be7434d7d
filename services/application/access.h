// Who may do what: a token's grant, and the caller that a request claims to be. Pure; thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <memory>
#include <string>
#include <vector>

#include "domain/types.h"

namespace warmline::application {

// What a token allows. `*` in a list means all.
struct Grant {
  std::string name;  // of the token, for logs
  std::vector<domain::Audience> audiences;
  std::vector<std::string> pools;
  std::vector<std::string> members;  // for whom it may act, where the audience is not OPERATOR

  [[nodiscard]] bool AllowsPool(const std::string& pool) const;
};

// In whose place a call is made, checked against a grant.
struct Caller {
  domain::Audience audience = domain::Audience::kUnspecified;
  std::string member;  // id; empty for an operator of the pool
  [[nodiscard]] bool IsOperator() const { return audience == domain::Audience::kOperator; }
};

// The static tokens of this process, by SHA-256 of the token, so that the tokens themselves are not held.
class TokenTable {
 public:
  void Add(const std::string& sha256, Grant grant) { grants_[sha256] = std::make_unique<Grant>(std::move(grant)); }
  // Null for an unknown token.
  [[nodiscard]] const Grant* Find(const std::string& sha256) const;
  [[nodiscard]] std::size_t size() const { return grants_.size(); }

 private:
  absl::flat_hash_map<std::string, std::unique_ptr<Grant>> grants_;
};

// Errors: PERMISSION_DENIED (AUDIENCE_NOT_ALLOWED, POOL_NOT_ALLOWED, ACTING_MEMBER_NOT_ALLOWED). `pool` may be empty
// where a call has none.
[[nodiscard]] absl::Status Authorize(const Grant& grant, const Caller& caller, const std::string& pool);
// PERMISSION_DENIED unless the caller is an operator.
[[nodiscard]] absl::Status RequireOperator(const Caller& caller, const char* what);
// PERMISSION_DENIED unless the caller is an operator, or acts for `member` in one of the audiences.
[[nodiscard]] absl::Status RequireSelf(const Caller& caller, const std::string& member, const char* what,
                                       std::vector<domain::Audience> audiences = {});

// Names of the audiences, as in the API.
[[nodiscard]] const char* AudienceName(domain::Audience audience);

}  // namespace warmline::application
