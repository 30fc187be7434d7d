// The keys that JSON Web Tokens are checked with: a JSON Web Key Set (RFC 7517). Signatures are cjose's work.
// Thread-safety: a KeySet is immutable; Check from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

namespace warmline::server {

inline constexpr std::size_t kMaxJwksBytes = 1024 * 1024;
inline constexpr std::size_t kMaxKeys = 100;
inline constexpr std::size_t kMinRsaBits = 2048;

// What the head of a token says of its signature (RFC 7515).
struct SignatureHead {
  std::string algorithm;
  std::string key_id;  // may be empty
};

class KeySet {
 public:
  // Keys for signatures: RSA from kMinRsaBits on, and EC on P-256, P-384 and P-521; those of other kinds or uses are
  // passed over. Errors: INVALID_ARGUMENT (jwt-jwks-file), for one that is no set, or has no key that is of use.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<const KeySet>> Parse(const std::string& json,
                                                                           const std::string& path);
  // Whether `token`, a compact signature (RFC 7515, section 7.1), was signed by a key of this set with an algorithm
  // that is that key's: RS, PS or ES with 256, 384 or 512 (RFC 7518). A token without a key id is checked only where
  // one key alone fits. The error says what does not fit, without the token.
  [[nodiscard]] absl::Status Check(const std::string& token, const SignatureHead& head) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

 private:
  struct Key;  // cjose's, and what it may be used for
  std::vector<std::shared_ptr<const Key>> keys_;
};

}  // namespace warmline::server
