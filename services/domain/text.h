// Text that people type: checks, and the canonical form of interests. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "domain/error.h"

namespace warmline::domain {

// How many code points `text` has; -1 when it is not valid UTF-8.
[[nodiscard]] int CountCodePoints(std::string_view text);

// Adds a violation when `text` is not valid UTF-8, holds a control character (NUL included; line breaks pass when
// `lines` is set), is longer than `max_characters`, or is empty while `required`.
void CheckText(std::string_view text, std::string_view field, int max_characters, bool required, bool lines,
               Violations& violations);

// NFKC with case folding (Unicode TR15, ICU), with every run of white space, `_` and `-` made one `-`, and none at the
// ends. Empty when nothing is left or the text is not valid UTF-8.
[[nodiscard]] std::string CanonicalName(std::string_view text);

}  // namespace warmline::domain
