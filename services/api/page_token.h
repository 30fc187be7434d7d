// Page tokens: opaque to callers, the last id of the page to us. Pure functions.
#pragma once

#include <absl/strings/escaping.h>

#include <string>

#include "domain/error.h"

namespace warmline::api {

[[nodiscard]] inline std::string MakePageToken(const std::string& last) {
  return last.empty() ? std::string() : absl::WebSafeBase64Escape("p1." + last);
}

// The id after which the page starts; a violation for a token that no page gave.
[[nodiscard]] inline std::string AfterToken(const std::string& token, domain::Violations& violations) {
  if (token.empty()) return {};
  std::string plain;
  if (token.size() > 1024 || !absl::WebSafeBase64Unescape(token, &plain) || plain.compare(0, 3, "p1.") != 0) {
    violations.Add("page_token", domain::Quoted(token) +
                                     " is not a token of this list: give next_page_token of the page before, or none");
    return {};
  }
  return plain.substr(3);
}

}  // namespace warmline::api
