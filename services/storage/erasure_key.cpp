#include "storage/erasure_key.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <openssl/evp.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/hash.h"
#include "base/hmac.h"

namespace warmline::storage {
namespace {

constexpr std::size_t kBlockBytes = 16;

// One block of AES-128, there or back. Empty when `input` is no block.
std::string Aes(const std::string& key, const std::string& input, bool encrypt) {
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  const std::string aes_key = key.substr(16, 16);  // the other half keys the hash
  std::array<unsigned char, 2 * kBlockBytes> output{};
  int size = 0;
  if (input.size() != kBlockBytes || aes_key.size() != 16 || context == nullptr ||
      EVP_CipherInit_ex(context.get(), EVP_aes_128_ecb(), nullptr,
                        reinterpret_cast<const unsigned char*>(aes_key.data()), nullptr, encrypt ? 1 : 0) != 1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1 ||
      EVP_CipherUpdate(context.get(), output.data(), &size, reinterpret_cast<const unsigned char*>(input.data()),
                       static_cast<int>(input.size())) != 1)
    return {};
  return {reinterpret_cast<const char*>(output.data()), static_cast<std::size_t>(size)};
}

}  // namespace

std::string ErasureKey::Hash(const std::string& pool, const std::string& member) const {
  return absl::BytesToHexString(base::HmacSha256(key_, absl::StrCat(pool, "/", member)).substr(0, kBlockBytes));
}

codec::ErasedName ErasureKey::Name(const std::string& pool, const std::string& member) const {
  std::string block(kBlockBytes, '\0');
  const std::uint64_t hash = base::Hash64(member);
  std::memcpy(block.data(), &hash, sizeof hash);
  return {Hash(pool, member), Aes(key_, block, true)};
}

std::uint64_t ErasureKey::IdHash(const std::string& locator) const {
  const std::string block = Aes(key_, locator, false);
  std::uint64_t hash = 0;
  if (block.size() == kBlockBytes && block.substr(sizeof hash) == std::string(kBlockBytes - sizeof hash, '\0'))
    std::memcpy(&hash, block.data(), sizeof hash);
  return hash;
}

absl::StatusOr<domain::ChangeBody> ErasureKey::Decode(const std::string& pool, const std::string& bytes) const {
  std::string locator;
  auto body = codec::DecodeChange(pool, bytes, &locator);
  if (!body.ok()) return body;
  if (auto* erased = std::get_if<domain::MemberErased>(&*body)) erased->id_hash = IdHash(locator);
  return body;
}

}  // namespace warmline::storage
