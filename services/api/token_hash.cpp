#include "api/token_hash.h"

#include <openssl/sha.h>

#include <array>

namespace warmline::api {

std::string TokenHash(const std::string& token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace warmline::api
