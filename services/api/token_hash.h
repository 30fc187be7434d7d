// How a token is named in application::TokenTable, so that the tokens themselves are not held. Pure; thread-safe.
#pragma once

#include <string>

namespace warmline::api {

// SHA-256 (FIPS 180-4) of a token, as 32 bytes.
[[nodiscard]] std::string TokenHash(const std::string& token);

}  // namespace warmline::api
