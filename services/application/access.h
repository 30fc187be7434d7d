// Who may do what: a token's grant, and the caller that a request claims to be.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/types.h"

namespace warmline::application {

// What a caller's work is; which calls each role may make is the API's table (api/rpc_roles.h). Bits.
enum class CallRole : std::uint8_t { kReader = 1, kMatcher = 2, kMemberWriter = 4, kIntroducer = 8, kOperator = 16 };
using CallRoles = std::uint8_t;
[[nodiscard]] constexpr CallRoles operator|(CallRole x, CallRole y) {
  return static_cast<CallRoles>(x) | static_cast<CallRoles>(y);
}
[[nodiscard]] constexpr CallRoles operator|(CallRoles x, CallRole y) {
  return static_cast<CallRoles>(x | static_cast<CallRoles>(y));
}
// "reader", "matcher", "member-writer", "introducer", "operator"; nothing for another name.
[[nodiscard]] std::optional<CallRole> RoleOf(std::string_view name);
// The names, with commas.
[[nodiscard]] std::string RoleNames(CallRoles roles);

// Lets through so many calls a second, and a second's worth at once, by the generic cell rate algorithm (ITU-T I.371).
// Thread-safety: all calls from any thread, without a lock.
class RateLimit {
 public:
  // 0: no limit.
  explicit RateLimit(double calls_per_second);
  // Nothing for a call that may be made; otherwise how long to wait.
  [[nodiscard]] std::optional<absl::Duration> Take(absl::Time now) const;

 private:
  const std::int64_t interval_ns_;
  mutable std::atomic<std::int64_t> next_ns_{0};  // the theoretical time of the next call
};

// What a token allows. `*` in a list means all.
struct Grant {
  std::string name;  // of the token, for logs
  CallRoles roles = 0;
  std::vector<domain::Audience> audiences;
  std::vector<std::string> pools;
  std::vector<std::string> members;  // for whom it may act, where the audience is not OPERATOR
  double calls_per_second = 0;       // 0: no limit; each message of a stream counts
  // Calls, and watches, that may be under way at once; 0: as the server allows any token.
  int max_in_flight = 0;
  int max_watches = 0;

  [[nodiscard]] bool AllowsPool(const std::string& pool) const;
  bool operator==(const Grant&) const = default;
};

// A grant in force, with what it has used.
struct GrantInForce {
  explicit GrantInForce(Grant g) : grant(std::move(g)), rate(grant.calls_per_second) {}
  const Grant grant;
  const RateLimit rate;
  // Under way now. On lines of their own: every call writes them.
  alignas(64) mutable std::atomic<int> calls{0};
  alignas(64) mutable std::atomic<int> watches{0};
};

// In whose place a call is made, checked against a grant.
struct Caller {
  domain::Audience audience = domain::Audience::kUnspecified;
  std::string member;  // id; empty for an operator of the pool
  [[nodiscard]] bool IsOperator() const { return audience == domain::Audience::kOperator; }
};

// Tokens by SHA-256 of the token, so that the tokens themselves are not held.
class TokenTable {
 public:
  void Add(const std::string& sha256, Grant grant) {
    grants_[sha256] = std::make_shared<const GrantInForce>(std::move(grant));
  }
  // Null for an unknown token.
  [[nodiscard]] std::shared_ptr<const GrantInForce> Find(const std::string& sha256) const;
  [[nodiscard]] std::size_t size() const { return grants_.size(); }
  // Grants that stand unchanged in `before` go on as they are there, with what they have used.
  void Continue(const TokenTable& before);

 private:
  absl::flat_hash_map<std::string, std::shared_ptr<const GrantInForce>> grants_;
};

// The tokens in force, which may be exchanged while calls are made. Thread-safety: all calls from any thread; Find does
// not lock.
class TokenRegistry {
 public:
  TokenRegistry() = default;
  ~TokenRegistry();
  TokenRegistry(const TokenRegistry&) = delete;
  TokenRegistry& operator=(const TokenRegistry&) = delete;
  // A call keeps its grant as long as it lasts.
  [[nodiscard]] std::shared_ptr<const GrantInForce> Find(const std::string& sha256) const;
  void Exchange(TokenTable table);

 private:
  std::atomic<const TokenTable*> table_{nullptr};
};

// Tokens that say themselves what they allow, and prove it. Thread-safety: all calls from any thread.
class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;
  // Whether `token` has the form of such a token at all.
  [[nodiscard]] virtual bool Recognises(const std::string& token) const = 0;
  // `sha256` is the token's. Errors: UNAUTHENTICATED (TOKEN_UNKNOWN, TOKEN_EXPIRED), saying what is wrong with it.
  [[nodiscard]] virtual absl::StatusOr<std::shared_ptr<const GrantInForce>> Verify(const std::string& token,
                                                                                   const std::string& sha256,
                                                                                   absl::Time now) = 0;
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
