// A revision: a pool's position in its change log, in one history of the store. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace warmline::domain {

struct Revision {
  std::uint64_t history = 0;  // chosen at random when a store is made, and again when it is restored
  std::int64_t number = 0;
  friend bool operator==(const Revision&, const Revision&) = default;
};

// An opaque token, and back; nothing when the text is not such a token.
[[nodiscard]] std::string RevisionToken(const Revision& revision);
[[nodiscard]] std::optional<Revision> ParseRevisionToken(std::string_view token);

}  // namespace warmline::domain
