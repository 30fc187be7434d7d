// What a token allows, as JSON says it: in the tokens file, and in the claim of a JSON Web Token. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "application/access.h"
#include "domain/error.h"

namespace warmline::server {

// The text under a name in an object; empty where there is none.
[[nodiscard]] std::string TextOf(const nlohmann::json& object, const char* name);
// Reads "roles", "audiences", "pools", "members" and "calls_per_second" of an object; the rest is the caller's. What is
// wrong is added to `violations`, each under `at`.
[[nodiscard]] application::Grant ParseGrant(const nlohmann::json& entry, const std::string& at,
                                            domain::Violations& violations);

}  // namespace warmline::server
