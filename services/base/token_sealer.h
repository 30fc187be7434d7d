// Opaque tokens that only this store makes: what they hold is hidden, every byte of them is authenticated, and they
// open for what they were made for alone. The same content for the same gives the same token (AES-SIV, RFC 5297: a
// keyed hash over everything is both the tag and the initialisation vector), so that a replay gives the same answer.
// Thread-safety: const calls from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;  // NOLINT(modernize-use-using): as OpenSSL declares it

namespace warmline::base {

class TokenSealer {
 public:
  // `key`: 32 secret bytes that live as long as the store.
  explicit TokenSealer(std::string_view key);

  // `purpose` keeps tokens of different kinds apart; `bound_to` says what the token is good for. In letters that a URL
  // takes as they are. Empty only when the cryptographic library fails, which is a defect.
  [[nodiscard]] std::string Seal(std::string_view purpose, const std::vector<std::string>& bound_to,
                                 std::string_view content) const;
  // The content; nothing for a token that was not made for just this purpose and `bound_to`, or that was changed by as
  // little as a bit. Longer ones than kMaxTokenBytes are not looked at.
  [[nodiscard]] std::optional<std::string> Open(std::string_view purpose, const std::vector<std::string>& bound_to,
                                                std::string_view token) const;

  static constexpr std::size_t kMaxTokenBytes = 1024;

 private:
  // With the key set, to be copied: that costs a third of setting it each time.
  std::shared_ptr<const EVP_CIPHER_CTX> sealing_;
  std::shared_ptr<const EVP_CIPHER_CTX> opening_;
};

}  // namespace warmline::base
