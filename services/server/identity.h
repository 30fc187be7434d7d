// Who may call: the tokens of a file, and JSON Web Tokens, both read again while the server runs. Thread-safety: Reload
// by one thread; the rest from any.
#pragma once

#include <absl/status/statusor.h>

#include <memory>

#include "application/access.h"
#include "server/config.h"
#include "server/jwt.h"
#include "server/watched_file.h"

namespace warmline::server {

class Identity {
 public:
  // Errors: INVALID_ARGUMENT, naming the option and what is wrong.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Identity>> Make(const Config& config);
  // Looks at the files. One that is wrong is logged and changes nothing: what was in force before it stays so.
  void Reload();
  [[nodiscard]] const application::TokenRegistry& tokens() const { return tokens_; }
  // Null without JSON Web Tokens.
  [[nodiscard]] application::TokenVerifier* verifier() const { return jwt_.get(); }

 private:
  explicit Identity(const Config& config);
  const std::string tokens_path_;
  const std::string keys_path_;
  WatchedFile tokens_file_;
  WatchedFile keys_file_;
  application::TokenRegistry tokens_;
  std::unique_ptr<JwtVerifier> jwt_;
};

}  // namespace warmline::server
