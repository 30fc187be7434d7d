// Where Redis is and who we are there. Values.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <utility>
#include <vector>

namespace warmline::cache::redis {

struct Address {
  std::string host;  // the path of a Unix socket where port is 0
  int port = 0;
  friend bool operator==(const Address&, const Address&) = default;
  friend bool operator<(const Address& x, const Address& y) {
    return x.host != y.host ? x.host < y.host : x.port < y.port;
  }
};
[[nodiscard]] std::string ToText(const Address& address);

struct Config {
  enum class Topology { kStandalone, kSentinel, kCluster };
  Topology topology = Topology::kStandalone;
  // The server; the Sentinels; or some nodes of the Cluster.
  std::vector<Address> addresses;
  std::string master;  // as the Sentinels name it
  std::string user;    // of an ACL; empty: the default user
  std::string password;
  int database = 0;
  // Before every key.
  std::string prefix = "warmline";
  absl::Duration connect_timeout = absl::Milliseconds(500);
  absl::Duration command_timeout = absl::Seconds(2);
};

// Reads one of
//   redis://[user[:password]@]host[:port][/database]
//   unix://[user[:password]@]/path/of.sock
//   sentinel://[user[:password]@]host:port,host:port/master-name
//   cluster://[user[:password]@]host:port,host:port
// INVALID_ARGUMENT names field `redis`, what is wrong, and the remedy; TLS (rediss://) is refused with what to do
// instead, since the hiredis that Warmline is built with has none.
[[nodiscard]] absl::StatusOr<Config> ParseUrl(const std::string& url);

}  // namespace warmline::cache::redis
