// What a server is started with. Values.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "server/transport_options.h"

namespace warmline::server {

struct Config {
  // Holds the database, its lock, and the operator's token of a server without a token file.
  std::string data_dir = "warmline-data";
  // A libpq connection string: the cluster profile, with PostgreSQL as the truth. Empty: SQLite in data_dir.
  std::string postgres;
  // Address of Redis (cache/redis/config.h), for the cluster profile; empty: no cache, and the log alone is followed.
  std::string redis;
  std::string redis_prefix = "warmline";
  // Holds the password, if that is not in the address.
  std::string redis_password_file;
  // How often the store is asked for what others wrote.
  absl::Duration poll_interval = absl::Seconds(1);
  // How long matches are served while the store is away.
  absl::Duration max_staleness = absl::Minutes(10);
  // Between two snapshots of a pool that changes, in the cache.
  absl::Duration snapshot_interval = absl::Minutes(1);
  // host:port of the gRPC API; port 0 chooses one.
  std::string listen = "127.0.0.1:7700";
  // host:port of metrics and health.
  std::string ops_listen = "127.0.0.1:7701";
  // JSON, read again when it changes; empty: one operator's token is made in the data directory, and `listen` must be a
  // loopback address.
  std::string tokens_file;
  // PEM files: certificate chain and key of the API's port, without which it is not encrypted; and the authority of
  // callers' certificates, with which every caller must have one. Read again when they change.
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_client_ca_file;
  // The operations port speaks TLS too, with the same certificate; callers need none there.
  bool ops_tls = false;
  // The JSON form of the reads and the console, on the operations port.
  bool console = true;
  // JSON Web Tokens of this issuer for this audience are callers' tokens too, when their signature is of a key in this
  // JSON Web Key Set, which is read again when it changes; and the claim that says what they allow.
  std::string jwt_issuer;
  std::string jwt_audience;
  std::string jwt_jwks_file;
  std::string jwt_claim = "warmline";
  // Where it is written who changed what and who was refused, and the key of the pseudonyms there; empty: nowhere, and
  // without members.
  std::string audit_file;
  std::string audit_key_file;
  // Where events are sent (outbox/webhook.h), and the file with the secret that signs them; empty: nowhere.
  std::string webhook_url;
  std::string webhook_secret_file;
  // How often the market of every pool is counted for metrics, at most.
  absl::Duration market_interval = absl::Minutes(1);
  // Limits of the API's port on connections.
  TransportOptions transport;
  // Calls, and watches, that may be under way at once: of all callers, and of one token that says nothing else.
  int max_in_flight = 2'000;
  int max_watches = 2'000;
  int max_in_flight_per_token = 1'000;
  int max_watches_per_token = 1'000;
  // Threads that match; 0: one for each processor that the process may use.
  int match_threads = 0;
  int max_message_bytes = 4 * 1024 * 1024;
  int max_waiting_writes = 20'000;
  int read_threads = 2;
  // From SIGTERM on, how long calls that still come are answered: until balancers and callers have noticed.
  absl::Duration drain_delay = absl::Seconds(2);
  absl::Duration drain_timeout = absl::Seconds(10);
  std::string log_level = "info";
};

// The file in which a server without a token file keeps its operator's token.
[[nodiscard]] inline std::string OperatorTokenPath(const std::string& data_dir) { return data_dir + "/operator.token"; }
[[nodiscard]] inline std::string DatabasePath(const std::string& data_dir) { return data_dir + "/warmline.db"; }

}  // namespace warmline::server
