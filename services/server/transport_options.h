// Limits of the gRPC API's port: what a stranger may take before any token was seen, and what a connection may hold.
// Values.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

namespace warmline::server {

// A stranger is a connection on which no call has been answered for an accepted token yet.
struct TransportOptions {
  // Connections at once: in all, and of one address (IPv4: the address; IPv6: its /64 network).
  int max_connections = 4'000;
  int max_connections_per_address = 1'000;
  // Of these, strangers. The oldest stranger makes room for a new one.
  int max_strangers = 96;
  int max_strangers_per_address = 48;
  // How long a stranger may stay without a call that reaches a handler.
  absl::Duration stranger_timeout = absl::Seconds(15);
  // Time for TLS and the first HTTP/2 settings.
  absl::Duration handshake_timeout = absl::Seconds(10);
  // A connection without calls is closed after this time.
  absl::Duration idle_timeout = absl::Minutes(5);
  // A connection is replaced after this time, so that load spreads over new replicas; zero: never.
  absl::Duration max_age = absl::ZeroDuration();
  // HTTP/2 streams of one connection at once.
  int max_streams = 100;
  // Metadata of one call.
  int max_header_bytes = 16 * 1024;
  // What gRPC may hold for connections, headers and messages that arrive.
  std::int64_t memory_bytes = std::int64_t{64} * 1024 * 1024;
};

}  // namespace warmline::server
