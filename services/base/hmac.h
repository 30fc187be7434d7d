// Keyed hashes, for what must not be guessed or forged. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace warmline::base {

// HMAC-SHA256 (RFC 2104, FIPS 180-4) of `text` under `key`: 32 bytes.
[[nodiscard]] std::string HmacSha256(std::string_view key, std::string_view text);

}  // namespace warmline::base
