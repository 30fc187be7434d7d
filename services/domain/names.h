// Resource names and ids. Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>

#include "domain/error.h"

namespace warmline::domain {

// Adds a violation unless `id` is 1 to 64 of `A-Z a-z 0-9 . _ -`, beginning with a letter or a digit.
void ValidateId(std::string_view id, const std::string& field, Violations& violations);
// The same for pool ids: 1 to 64 of `a-z 0-9 -`, beginning with a letter.
void ValidatePoolId(std::string_view id, const std::string& field, Violations& violations);

// `pools/{pool}/{collection}/{id}`.
[[nodiscard]] std::string ResourceName(std::string_view pool, std::string_view collection, std::string_view id);
[[nodiscard]] std::string PoolName(std::string_view pool);

struct ParsedName {
  std::string pool;
  std::string id;
};
// The parts of `pools/{pool}/{collection}/{id}`; nothing when it has another shape.
[[nodiscard]] std::optional<ParsedName> ParseResourceName(std::string_view name, std::string_view collection);
// The id of `pools/{pool}`.
[[nodiscard]] std::optional<std::string> ParsePoolName(std::string_view name);
// The two ids of `{a}~{b}`.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> ParsePairId(std::string_view id);

}  // namespace warmline::domain
