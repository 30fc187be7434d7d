// How a token is named in application::TokenTable, so that the tokens themselves are not held. Pure; thread-safe.
#pragma once

#include <string>

namespace warmline::api {

// SHA-256 (FIPS 180-4) of a token, as 32 bytes.
[[nodiscard]] std::string TokenHash(const std::string& token);
// What stands in a token's place for the name in a caller's certificate: never 32 bytes by accident of a hash.
[[nodiscard]] inline std::string CertificateKey(const std::string& name) { return "certificate:" + name; }

}  // namespace warmline::api
