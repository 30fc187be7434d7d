// A revision: a pool's position in its change log, in one history of the store; and the opaque tokens that name it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/token_sealer.h"

namespace warmline::domain {

// Makes and reads the tokens of one store. They are good for one pool and one line of history, whoever holds them and
// whichever replica reads them; they grant nothing. Thread-safety: const calls from any thread.
class RevisionTokens {
 public:
  // `key` and `history` of the store (RecordStore).
  RevisionTokens(std::string_view key, std::uint64_t history);
  [[nodiscard]] std::string Of(const std::string& pool, std::int64_t revision) const;
  // Nothing for a text that is not such a token of this pool and history.
  [[nodiscard]] std::optional<std::int64_t> Number(const std::string& pool, std::string_view token) const;

 private:
  base::TokenSealer sealer_;
  std::string history_;
};

// A number as the content of a token, and back; nothing for bytes of another length.
[[nodiscard]] std::string NumberBytes(std::int64_t number);
[[nodiscard]] std::optional<std::int64_t> NumberOfBytes(std::string_view bytes);

}  // namespace warmline::domain
