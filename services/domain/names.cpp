#include "domain/names.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "domain/limits.h"

namespace warmline::domain {

void ValidateId(std::string_view id, const std::string& field, Violations& violations) {
  const bool good = !id.empty() && id.size() <= kMaxIdBytes && absl::ascii_isalnum(static_cast<unsigned char>(id[0])) &&
                    std::all_of(id.begin(), id.end(), [](unsigned char c) {
                      return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
                    });
  if (!good) {
    violations.Add(field, absl::StrCat(Quoted(id), " is not an id: 1 to ", kMaxIdBytes,
                                       " of A-Z a-z 0-9 . _ -, beginning with a letter or digit"));
  }
}

void ValidatePoolId(std::string_view id, const std::string& field, Violations& violations) {
  const bool good = !id.empty() && id.size() <= kMaxIdBytes && absl::ascii_islower(static_cast<unsigned char>(id[0])) &&
                    std::all_of(id.begin(), id.end(), [](unsigned char c) {
                      return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
                    });
  if (!good) {
    violations.Add(field, absl::StrCat(Quoted(id), " is not a pool id: 1 to ", kMaxIdBytes,
                                       " of a-z 0-9 -, beginning with a letter"));
  }
}

std::string ResourceName(std::string_view pool, std::string_view collection, std::string_view id) {
  return absl::StrCat("pools/", base::AbslView(pool), "/", base::AbslView(collection), "/", base::AbslView(id));
}

std::string PoolName(std::string_view pool) { return absl::StrCat("pools/", base::AbslView(pool)); }

std::optional<ParsedName> ParseResourceName(std::string_view name, std::string_view collection) {
  const std::vector<absl::string_view> parts = absl::StrSplit(base::AbslView(name), '/');
  if (parts.size() != 4 || parts[0] != "pools" || parts[1].empty() || parts[2] != base::AbslView(collection) ||
      parts[3].empty())
    return std::nullopt;
  return ParsedName{std::string(parts[1]), std::string(parts[3])};
}

std::optional<std::string> ParsePoolName(std::string_view name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(base::AbslView(name), '/');
  if (parts.size() != 2 || parts[0] != "pools" || parts[1].empty()) return std::nullopt;
  return std::string(parts[1]);
}

std::optional<std::pair<std::string, std::string>> ParsePairId(std::string_view id) {
  const std::vector<absl::string_view> parts = absl::StrSplit(base::AbslView(id), '~');
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) return std::nullopt;
  return std::pair(std::string(parts[0]), std::string(parts[1]));
}

}  // namespace warmline::domain
