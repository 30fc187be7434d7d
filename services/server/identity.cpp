#include "server/identity.h"

#include <spdlog/spdlog.h>

#include "domain/error.h"
#include "server/tokens.h"

namespace warmline::server {
namespace {

void LogUnchanged(const char* what, const absl::Status& status) {
  spdlog::error("the {} stay as they were: {}", what, std::string(status.message()));
  for (const auto& violation : domain::ViolationsOf(status))
    spdlog::error("  {}: {}", violation.field, violation.description);
}

}  // namespace

Identity::Identity(const Config& config)
    : tokens_path_(config.tokens_file),
      keys_path_(config.jwt_jwks_file),
      tokens_file_(config.tokens_file),
      keys_file_(config.jwt_jwks_file) {}

absl::StatusOr<std::unique_ptr<Identity>> Identity::Make(const Config& config) {
  std::unique_ptr<Identity> identity(new Identity(config));
  auto uses_jwt = UsesJwt(config);
  if (!uses_jwt.ok()) return uses_jwt.status();
  if (*uses_jwt) {
    auto keys = ReadKeySet(config.jwt_jwks_file);
    if (!keys.ok()) return keys.status();
    identity->jwt_ = std::make_unique<JwtVerifier>(JwtRules{config.jwt_issuer, config.jwt_audience, config.jwt_claim},
                                                   *std::move(keys));
  }
  auto tokens = LoadTokens(config);
  if (!tokens.ok()) return tokens.status();
  identity->tokens_.Exchange(*std::move(tokens));
  return identity;
}

void Identity::Reload() {
  if (tokens_file_.Changed()) {
    if (auto loaded = ReadTokens(tokens_path_); loaded.ok()) {
      spdlog::info("{} tokens are in force, from {}", loaded->size(), tokens_path_);
      tokens_.Exchange(*std::move(loaded));
    } else {
      LogUnchanged("tokens", loaded.status());
    }
  }
  if (keys_file_.Changed()) {
    if (auto keys = ReadKeySet(keys_path_); keys.ok()) {
      spdlog::info("{} keys for JSON Web Tokens are in force, from {}", (*keys)->size(), keys_path_);
      jwt_->UseKeys(*std::move(keys));
    } else {
      LogUnchanged("keys", keys.status());
    }
  }
}

}  // namespace warmline::server
