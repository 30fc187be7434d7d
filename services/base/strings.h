// Debian builds Abseil with a string_view of its own: the step between the two. Pure; views the same bytes.
#pragma once

#include <absl/strings/string_view.h>

#include <string_view>

namespace warmline::base {

[[nodiscard]] inline absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }
[[nodiscard]] inline std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace warmline::base
