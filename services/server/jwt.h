// JSON Web Tokens (RFC 7519) of one issuer for one audience, whose grant is a claim of their own. Thread-safety: Verify
// and Recognises from any thread; UseKeys by one.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <memory>
#include <mutex>
#include <string>

#include "application/access.h"
#include "server/config.h"
#include "server/jwks.h"

namespace warmline::server {

// gRPC itself takes 8 KiB of metadata in all.
inline constexpr std::size_t kMaxJwtBytes = 6 * 1024;
// Between the issuer's clock and ours.
inline constexpr absl::Duration kClockLeeway = absl::Seconds(60);
// Tokens that were found good are remembered until they end, so that a signature is reckoned once.
inline constexpr std::size_t kMaxJwtsRemembered = 10'000;

struct JwtRules {
  std::string issuer;
  std::string audience;
  std::string claim;  // whose value is the grant (server/grants.h)
};

// Whether a configuration takes JSON Web Tokens. Errors: INVALID_ARGUMENT, naming
// the option that is missing beside others.
[[nodiscard]] absl::StatusOr<bool> UsesJwt(const Config& config);
// The set of keys in a file. Errors: INVALID_ARGUMENT (jwt-jwks-file).
[[nodiscard]] absl::StatusOr<std::shared_ptr<const KeySet>> ReadKeySet(const std::string& path);

class JwtVerifier : public application::TokenVerifier {
 public:
  JwtVerifier(JwtRules rules, std::shared_ptr<const KeySet> keys);
  [[nodiscard]] bool Recognises(const std::string& token) const override;
  [[nodiscard]] absl::StatusOr<std::shared_ptr<const application::GrantInForce>> Verify(const std::string& token,
                                                                                        const std::string& sha256,
                                                                                        absl::Time now) override;
  // Tokens that were found good with other keys are checked anew.
  void UseKeys(std::shared_ptr<const KeySet> keys);

 private:
  using Grant = std::shared_ptr<const application::GrantInForce>;
  struct Remembered {
    Grant grant;
    absl::Time until;
  };
  Grant InForce(application::Grant grant);

  const JwtRules rules_;
  std::mutex mutex_;
  std::shared_ptr<const KeySet> keys_;
  absl::flat_hash_map<std::string, Remembered> good_;  // by the token's hash
  absl::flat_hash_map<std::string, Grant> subjects_;   // by name: a new token goes on with what the last one used
};

}  // namespace warmline::server
