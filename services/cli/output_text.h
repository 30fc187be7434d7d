// Small words that answers are printed with. Pure.
#pragma once

#include <absl/strings/ascii.h>

#include <string>

namespace warmline::cli {

// The name of an enum value as words: "not_helpful" reads "not helpful".
[[nodiscard]] inline std::string Plain(const std::string& enum_name) {
  std::string text = absl::AsciiStrToLower(enum_name);
  for (char& c : text) {
    if (c == '_') c = ' ';
  }
  return text;
}

// The id at the end of a resource name.
[[nodiscard]] inline std::string LastPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

}  // namespace warmline::cli
