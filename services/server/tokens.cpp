#include "server/tokens.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/token_hash.h"
#include "domain/error.h"
#include "server/config_error.h"
#include "server/grants.h"

namespace warmline::server {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxTokens = 10'000;
constexpr std::size_t kMinTokenBytes = 16;
constexpr std::size_t kSha256Digits = 64;

void AddToken(const Json& entry, const std::string& at, application::TokenTable& table,
              domain::Violations& violations) {
  static constexpr std::array<const char*, 11> kKeys = {
      "name",  "token",   "token_sha256",     "certificate",   "roles",      "audiences",
      "pools", "members", "calls_per_second", "max_in_flight", "max_watches"};
  if (!entry.is_object()) {
    violations.Add(at, "is not an object");
    return;
  }
  for (const auto& [key, value] : entry.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end())
      violations.Add(absl::StrCat(at, ".", key),
                     "is not a key: use name, token, token_sha256, certificate, roles, audiences, pools, members, "
                     "calls_per_second, max_in_flight, max_watches");
  }
  application::Grant grant = ParseGrant(entry, at, violations);
  grant.name = TextOf(entry, "name");
  if (grant.name.empty()) grant.name = at;
  const std::string token = TextOf(entry, "token");
  const std::string token_sha256 = TextOf(entry, "token_sha256");
  const std::string certificate = TextOf(entry, "certificate");
  if (token.size() >= kMinTokenBytes) {
    table.Add(api::TokenHash(token), std::move(grant));
  } else if (token_sha256.size() == kSha256Digits) {
    table.Add(absl::HexStringToBytes(token_sha256), std::move(grant));
  } else if (!certificate.empty()) {
    table.Add(api::CertificateKey(certificate), std::move(grant));
  } else {
    violations.Add(
        at, absl::StrCat(
                "needs a `token` of at least ", kMinTokenBytes,
                " characters, a `token_sha256` of 64 hexadecimal digits, or the name in a caller's `certificate`"));
  }
}

}  // namespace

bool IsLoopback(const std::string& listen) {
  return absl::StartsWith(listen, "127.") || absl::StartsWith(listen, "localhost:") ||
         absl::StartsWith(listen, "[::1]:") || absl::StartsWith(listen, "unix:");
}

absl::StatusOr<application::TokenTable> ReadTokens(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    return Invalid("tokens-file", absl::StrCat("cannot read ", path, " (", std::strerror(errno),
                                               "): check the path and its permissions"));
  const Json json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object() || !json.contains("tokens") || !json["tokens"].is_array()) {
    return Invalid("tokens-file",
                   absl::StrCat(path, " is not JSON of the form {\"tokens\": [...]}: see docs/operations.md"));
  }
  if (json["tokens"].size() > kMaxTokens)
    return Invalid("tokens-file", absl::StrCat(path, " has more than ", kMaxTokens, " tokens"));
  application::TokenTable table;
  domain::Violations violations;
  for (std::size_t i = 0; i < json["tokens"].size(); ++i)
    AddToken(json["tokens"][i], absl::StrCat(path, ": tokens[", i, "]"), table, violations);
  if (!violations.empty()) return violations.ToStatus();
  if (table.size() == 0) return Invalid("tokens-file", absl::StrCat(path, " has no token: nobody could call"));
  return table;
}

absl::StatusOr<std::string> EnsureOperatorToken(const std::string& data_dir) {
  const std::string path = OperatorTokenPath(data_dir);
  if (std::ifstream file(path); file) {
    std::string token;
    file >> token;
    if (token.size() >= kMinTokenBytes) return token;
    return Invalid("data-dir", absl::StrCat(path, " holds no token: delete it, and a new one is made"));
  }
  std::array<unsigned char, 24> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    return domain::MakeError(domain::ErrorReason::kInternalDefect, "the system gives no random numbers");
  std::string token = absl::WebSafeBase64Escape({reinterpret_cast<const char*>(random.data()), random.size()});
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const std::string line = token + "\n";
  const bool written = file >= 0 && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (file >= 0) close(file);
  if (!written)
    return Invalid("data-dir", absl::StrCat("cannot write ", path, " (", std::strerror(errno),
                                            "): check the directory and its permissions"));
  return token;
}

absl::StatusOr<application::TokenTable> LoadTokens(const Config& config) {
  if (!config.tokens_file.empty()) return ReadTokens(config.tokens_file);
  // JSON Web Tokens alone are enough.
  if (!config.jwt_jwks_file.empty() && !IsLoopback(config.listen)) return application::TokenTable();
  if (!IsLoopback(config.listen)) {
    return Invalid(
        "tokens-file",
        absl::StrCat(
            "is not given, and ", config.listen,
            " can be reached by others: give a tokens file or JSON Web Tokens (--jwt-issuer), or listen on 127.0.0.1"));
  }
  auto token = EnsureOperatorToken(config.data_dir);
  if (!token.ok()) return token.status();
  application::TokenTable table;
  using domain::Audience;
  application::Grant grant;
  grant.name = "operator.token";
  grant.roles = static_cast<application::CallRoles>(application::CallRole::kOperator);
  grant.audiences = {Audience::kSeeker, Audience::kIntroducer, Audience::kHelper, Audience::kOperator};
  grant.pools = {"*"};
  grant.members = {"*"};
  table.Add(api::TokenHash(*token), std::move(grant));
  return table;
}

}  // namespace warmline::server
