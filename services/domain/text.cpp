#include "domain/text.h"

#include <absl/strings/str_cat.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <cstdint>

namespace warmline::domain {
namespace {

// Code points of `text`, or false when it is not valid UTF-8.
template <typename Visit>
bool ForEachCodePoint(std::string_view text, Visit visit) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto length = static_cast<std::int32_t>(text.size());
  for (std::int32_t at = 0; at < length;) {
    UChar32 c = 0;
    U8_NEXT(bytes, at, length, c);
    if (c < 0) return false;
    visit(c);
  }
  return true;
}

}  // namespace

int CountCodePoints(std::string_view text) {
  int count = 0;
  return ForEachCodePoint(text, [&](UChar32) { ++count; }) ? count : -1;
}

void CheckText(std::string_view text, std::string_view field, int max_characters, bool required, bool lines,
               Violations& violations) {
  if (text.empty()) {
    if (required)
      violations.Add(std::string(field), "is empty: give 1 to " + std::to_string(max_characters) + " characters");
    return;
  }
  int count = 0;
  UChar32 control = -1;
  const bool valid = ForEachCodePoint(text, [&](UChar32 c) {
    ++count;
    const bool line_break = lines && (c == '\n' || c == '\r' || c == '\t');
    if (u_charType(c) == U_CONTROL_CHAR && !line_break) control = c;
  });
  if (!valid) {
    violations.Add(std::string(field), absl::StrCat(Quoted(text), " is not valid UTF-8: send UTF-8 text"));
  } else if (control >= 0) {
    violations.Add(std::string(field), absl::StrCat(Quoted(text), " holds the control character U+",
                                                    absl::Hex(control, absl::kZeroPad4), ": remove it"));
  } else if (count > max_characters) {
    violations.Add(std::string(field),
                   absl::StrCat(Quoted(text), " has ", count, " characters: at most ", max_characters));
  }
}

std::string CanonicalName(std::string_view text) {
  if (CountCodePoints(text) <= 0) return {};
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(error);
  if (U_FAILURE(error)) return {};
  const icu::UnicodeString folded = normalizer->normalize(
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size()))), error);
  if (U_FAILURE(error)) return {};
  icu::UnicodeString result;
  bool gap = false;
  for (std::int32_t at = 0; at < folded.length(); at = folded.moveIndex32(at, 1)) {
    const UChar32 c = folded.char32At(at);
    if (u_isUWhiteSpace(c) || c == '_' || c == '-') {
      gap = true;
      continue;
    }
    if (gap && !result.isEmpty()) result.append(u'-');
    gap = false;
    result.append(c);
  }
  std::string utf8;
  result.toUTF8String(utf8);
  return utf8;
}

}  // namespace warmline::domain
