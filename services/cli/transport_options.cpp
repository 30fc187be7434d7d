#include "cli/transport_options.h"

#include <memory>

#include "cli/commands.h"

namespace warmline::cli {
namespace {

struct Read {
  server::TransportOptions transport;
  // Milliseconds, as the options have them.
  std::int64_t stranger_ms = absl::ToInt64Milliseconds(transport.stranger_timeout);
  std::int64_t handshake_ms = absl::ToInt64Milliseconds(transport.handshake_timeout);
  std::int64_t idle_ms = absl::ToInt64Milliseconds(transport.idle_timeout);
  std::int64_t age_ms = absl::ToInt64Milliseconds(transport.max_age);
};

}  // namespace

std::function<server::TransportOptions()> AddTransportOptions(CLI::App& command) {
  auto read = std::make_shared<Read>();
  server::TransportOptions& transport = read->transport;
  AddOption(command, "max-connections", transport.max_connections, "Connections to the API at once")
      ->check(CLI::Range(16, 1'000'000));
  AddOption(command, "max-connections-per-address", transport.max_connections_per_address,
            "The same, of one IPv4 address or IPv6 /64 network; a proxy in front counts as one")
      ->check(CLI::Range(1, 1'000'000));
  AddOption(command, "max-strangers", transport.max_strangers,
            "Connections at once on which no call has had an accepted token yet; the oldest makes room for a new one")
      ->check(CLI::Range(1, 1'000'000));
  AddOption(command, "max-strangers-per-address", transport.max_strangers_per_address,
            "The same, of one IPv4 address or IPv6 /64 network")
      ->check(CLI::Range(1, 1'000'000));
  AddOption(command, "stranger-timeout-ms", read->stranger_ms,
            "How long such a connection may stay without a whole request")
      ->check(CLI::Range(100, 3'600'000));
  AddOption(command, "handshake-timeout-ms", read->handshake_ms, "Time for TLS and the start of HTTP/2")
      ->check(CLI::Range(100, 600'000));
  AddOption(command, "idle-timeout-ms", read->idle_ms, "A connection without calls is closed after this time")
      ->check(CLI::Range(1'000, 86'400'000));
  AddOption(command, "max-connection-age-ms", read->age_ms,
            "A connection is replaced after this time, so that load spreads over new replicas; 0: never")
      ->check(CLI::Range(0, 86'400'000));
  AddOption(command, "max-streams-per-connection", transport.max_streams, "Calls of one connection at once")
      ->check(CLI::Range(1, 100'000));
  AddOption(command, "max-header-bytes", transport.max_header_bytes, "Metadata of one call")
      ->check(CLI::Range(8 * 1024, 1024 * 1024));
  AddOption(command, "transport-memory-bytes", transport.memory_bytes,
            "Memory for connections, metadata and messages that arrive; past it, calls are cancelled")
      ->check(CLI::Range(std::int64_t{16} * 1024 * 1024, std::int64_t{64} * 1024 * 1024 * 1024));
  return [read] {
    server::TransportOptions transport = read->transport;
    transport.stranger_timeout = absl::Milliseconds(read->stranger_ms);
    transport.handshake_timeout = absl::Milliseconds(read->handshake_ms);
    transport.idle_timeout = absl::Milliseconds(read->idle_ms);
    transport.max_age = absl::Milliseconds(read->age_ms);
    return transport;
  };
}

}  // namespace warmline::cli
