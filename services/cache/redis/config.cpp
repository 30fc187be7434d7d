#include "cache/redis/config.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <optional>

#include "domain/error.h"

namespace warmline::cache::redis {
namespace {

constexpr int kDefaultPort = 6379;
constexpr int kDefaultSentinelPort = 26379;

absl::Status Wrong(const std::string& description) {
  domain::Violations violations;
  violations.Add("redis", description);
  return violations.ToStatus();
}

std::optional<Address> ParseAddress(const std::string& text, int default_port) {
  const std::size_t colon = text.rfind(':');
  Address address{text.substr(0, colon), default_port};
  if (colon != std::string::npos &&
      (!absl::SimpleAtoi(text.substr(colon + 1), &address.port) || address.port < 1 || address.port > 65535))
    return std::nullopt;
  if (address.host.empty()) return std::nullopt;
  return address;
}

// %41 and the like, as in passwords with @ or /.
std::optional<std::string> Unescape(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const std::string digits = text.substr(i + 1, 2);
    std::uint32_t code = 0;
    if (digits.size() != 2 || !absl::SimpleHexAtoi(digits, &code)) return std::nullopt;
    plain += static_cast<char>(code);
    i += 2;
  }
  return plain;
}

}  // namespace

std::string ToText(const Address& address) {
  return address.port == 0 ? address.host : absl::StrCat(address.host, ":", address.port);
}

absl::StatusOr<Config> ParseUrl(const std::string& url) {
  Config config;
  const std::size_t scheme_end = url.find("://");
  const std::string scheme = url.substr(0, scheme_end);
  if (scheme == "rediss") {
    return Wrong(
        "rediss:// needs TLS, which the hiredis that Warmline is built with does not have: run a TLS proxy (stunnel, "
        "Envoy) beside Warmline and give its unix:// or redis:// address");
  }
  const bool unix_socket = scheme == "unix";
  if (scheme == "sentinel") {
    config.topology = Config::Topology::kSentinel;
  } else if (scheme == "cluster") {
    config.topology = Config::Topology::kCluster;
  } else if ((scheme != "redis" && !unix_socket) || scheme_end == std::string::npos) {
    return Wrong(
        "is not an address of Redis: write redis://host:port, unix:///path, sentinel://host:port,…/master or "
        "cluster://host:port,…");
  }
  std::string rest = url.substr(scheme_end + 3);
  if (const std::size_t at = rest.rfind('@'); at != std::string::npos) {
    const std::pair<std::string, std::string> credentials = absl::StrSplit(rest.substr(0, at), absl::MaxSplits(':', 1));
    const auto user = Unescape(credentials.first);
    const auto password = Unescape(credentials.second);
    if (!user || !password) return Wrong("has a % in user or password that two hexadecimal digits do not follow");
    config.user = *user;
    config.password = *password;
    rest = rest.substr(at + 1);
  }
  if (unix_socket) {
    if (!absl::StartsWith(rest, "/")) return Wrong("names no path of a socket: write unix:///path/of.sock");
    config.addresses = {{rest, 0}};
    return config;
  }
  const std::size_t slash = rest.find('/');
  const std::string path = slash == std::string::npos ? "" : rest.substr(slash + 1);
  const int port = config.topology == Config::Topology::kSentinel ? kDefaultSentinelPort : kDefaultPort;
  for (const auto part : absl::StrSplit(rest.substr(0, slash), ',')) {
    const auto address = ParseAddress(std::string(part), port);
    if (!address) return Wrong(absl::StrCat(domain::Quoted(std::string(part)), " is not host:port"));
    config.addresses.push_back(*address);
  }
  if (config.topology == Config::Topology::kStandalone && config.addresses.size() > 1)
    return Wrong("names several servers: write sentinel:// or cluster:// for them");
  if (config.topology == Config::Topology::kSentinel) {
    if (path.empty()) return Wrong("does not name the master: write sentinel://host:port,…/master-name");
    config.master = path;
  } else if (!path.empty()) {
    if (config.topology == Config::Topology::kCluster) return Wrong("names a database, which a Cluster does not have");
    if (!absl::SimpleAtoi(path, &config.database) || config.database < 0)
      return Wrong(absl::StrCat(domain::Quoted(path), " is not the number of a database"));
  }
  return config;
}

}  // namespace warmline::cache::redis
