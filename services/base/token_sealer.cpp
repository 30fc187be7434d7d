#include "base/token_sealer.h"

#include <absl/strings/escaping.h>
#include <openssl/evp.h>

#include <cstdint>
#include <utility>

#include "base/hmac.h"
#include "base/strings.h"

namespace warmline::base {
namespace {

constexpr int kTagBytes = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// A copy of a context; null on failure, or for none.
Context CopyOf(const EVP_CIPHER_CTX* context) {
  Context copy(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  if (context == nullptr || copy == nullptr || EVP_CIPHER_CTX_copy(copy.get(), context) != 1) return {nullptr, nullptr};
  return copy;
}

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Each part behind its length, so that no two lists give the same bytes.
std::string Joined(std::string_view purpose, const std::vector<std::string>& bound_to) {
  std::string all;
  const auto add = [&](std::string_view part) {
    const auto size = static_cast<std::uint32_t>(part.size());
    for (int shift = 0; shift < 32; shift += 8) all.push_back(static_cast<char>(size >> shift));
    all.append(part);
  };
  add(purpose);
  for (const std::string& part : bound_to) add(part);
  return all;
}

}  // namespace

TokenSealer::TokenSealer(std::string_view key) {
  const std::string keys = HmacSha256(key, "token sealer 1") + HmacSha256(key, "token sealer 2");
  const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher(
      EVP_CIPHER_fetch(nullptr, "AES-256-SIV", nullptr), EVP_CIPHER_free);
  for (auto [context, seals] : {std::pair(&sealing_, 1), std::pair(&opening_, 0)}) {
    const std::shared_ptr<EVP_CIPHER_CTX> made(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    if (made == nullptr ||
        EVP_CipherInit_ex2(made.get(), cipher.get(), Bytes(std::string_view(keys)), nullptr, seals, nullptr) != 1)
      continue;
    *context = made;
  }
}

std::string TokenSealer::Seal(std::string_view purpose, const std::vector<std::string>& bound_to,
                              std::string_view content) const {
  const std::string bound = Joined(purpose, bound_to);
  std::string tag(kTagBytes, '\0');
  std::string hidden(content.size(), '\0');
  int size = 0;
  const Context context = CopyOf(sealing_.get());
  if (context == nullptr ||
      EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(std::string_view(bound)),
                        static_cast<int>(bound.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), Bytes(hidden), &size, Bytes(content), static_cast<int>(content.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), Bytes(hidden), &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag.data()) != 1) {
    return {};
  }
  return absl::WebSafeBase64Escape(tag + hidden);
}

std::optional<std::string> TokenSealer::Open(std::string_view purpose, const std::vector<std::string>& bound_to,
                                             std::string_view token) const {
  std::string sealed;
  if (token.size() > kMaxTokenBytes || !absl::WebSafeBase64Unescape(AbslView(token), &sealed) ||
      sealed.size() <= static_cast<std::size_t>(kTagBytes))
    return std::nullopt;
  // The last letter may hold bits that stand for nothing: those too are as they were made.
  if (absl::WebSafeBase64Escape(sealed) != AbslView(token)) return std::nullopt;
  std::string tag = sealed.substr(0, kTagBytes);
  const std::string hidden = sealed.substr(kTagBytes);
  const std::string bound = Joined(purpose, bound_to);
  std::string content(hidden.size(), '\0');
  int size = 0;
  const Context context = CopyOf(opening_.get());
  if (context == nullptr || EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(std::string_view(bound)),
                        static_cast<int>(bound.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), Bytes(content), &size, Bytes(std::string_view(hidden)),
                        static_cast<int>(hidden.size())) != 1 ||
      EVP_DecryptFinal_ex(context.get(), Bytes(content), &size) != 1) {
    return std::nullopt;
  }
  return content;
}

}  // namespace warmline::base
