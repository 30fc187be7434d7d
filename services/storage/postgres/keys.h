// Keys of what a transaction knows: the parts of a record's name in one string. Pure.
#pragma once

#include <string>

namespace warmline::storage::postgres {

// No id holds the byte between the parts: names are checked before they come here.
[[nodiscard]] inline std::string KeyOf(const std::string& a, const std::string& b) { return a + '\0' + b; }
[[nodiscard]] inline std::string KeyOf(const std::string& a, const std::string& b, const std::string& c) {
  return a + '\0' + b + '\0' + c;
}

}  // namespace warmline::storage::postgres
