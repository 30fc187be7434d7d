#include "api/candidate_token.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/hmac.h"
#include "base/strings.h"

namespace warmline::api {
namespace {

constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kIdBytes = 64;  // every id is padded to this, so that a token does not tell its length

// AES-128 in counter mode: the same call encrypts and decrypts. Empty on failure.
std::string Crypt(const std::string& key, const std::string& iv, const std::string& text) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  std::string out(text.size(), '\0');
  int size = 0;
  if (context == nullptr ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, reinterpret_cast<const unsigned char*>(key.data()),
                         reinterpret_cast<const unsigned char*>(iv.data())) != 1 ||
      EVP_EncryptUpdate(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())) != 1) {
    return {};
  }
  return out;
}

std::string Bound(const std::string& pool, const std::string& seeker, const std::string& need,
                  const std::string& helper) {
  return absl::StrCat(pool, "\n", seeker, "\n", need, "\n", helper);
}

}  // namespace

CandidateTokens::CandidateTokens(const std::string& key)
    : mac_key_(base::HmacSha256(key, "candidate token mac")),
      cipher_key_(base::HmacSha256(key, "candidate token cipher").substr(0, 16)) {}

std::string CandidateTokens::Mark(const std::string& text) const {
  return base::HmacSha256(mac_key_, "mark\n" + text).substr(0, kMacBytes);
}

// The synthetic-IV construction (RFC 5297) with HMAC-SHA256 as the keyed hash: deterministic, and forged tokens do not
// open.
std::string CandidateTokens::Seal(const std::string& pool, const std::string& seeker, const std::string& need,
                                  const std::string& helper) const {
  const std::string mac = base::HmacSha256(mac_key_, Bound(pool, seeker, need, helper)).substr(0, kMacBytes);
  std::string padded = helper;
  padded.resize(kIdBytes, '\0');
  return absl::WebSafeBase64Escape(absl::StrCat(mac, Crypt(cipher_key_, mac, padded)));
}

std::optional<std::string> CandidateTokens::Open(const std::string& pool, const std::string& seeker,
                                                 const std::string& need, std::string_view token) const {
  std::string sealed;
  if (token.size() > 4 * kIdBytes || !absl::WebSafeBase64Unescape(base::AbslView(token), &sealed) ||
      sealed.size() != kMacBytes + kIdBytes)
    return std::nullopt;
  const std::string mac = sealed.substr(0, kMacBytes);
  std::string helper = Crypt(cipher_key_, mac, sealed.substr(kMacBytes));
  helper.resize(std::min(helper.find('\0'), helper.size()));
  const std::string expected = base::HmacSha256(mac_key_, Bound(pool, seeker, need, helper)).substr(0, kMacBytes);
  if (CRYPTO_memcmp(mac.data(), expected.data(), kMacBytes) != 0) return std::nullopt;
  return helper;
}

}  // namespace warmline::api
