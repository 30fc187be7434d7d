// Opaque tokens for masked helpers: the helper's id, sealed for one pool, seeker and need. The same helper has another
// token for every need, so tokens cannot be compared between seekers. Thread-safety: const calls from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/token_sealer.h"

namespace warmline::api {

class CandidateTokens {
 public:
  // `key`: 32 secret bytes that live as long as the store.
  explicit CandidateTokens(const std::string& key) : sealer_(key) {}
  [[nodiscard]] std::string Seal(const std::string& pool, const std::string& seeker, const std::string& need,
                                 const std::string& helper) const;
  // The helper's id; nothing for a token that was not made for this pool, seeker and need.
  [[nodiscard]] std::optional<std::string> Open(const std::string& pool, const std::string& seeker,
                                                const std::string& need, std::string_view token) const;

 private:
  base::TokenSealer sealer_;
};

}  // namespace warmline::api
