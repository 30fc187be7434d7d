#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "cli/program.h"
#include "cli/transport_options.h"
#include "server/server.h"

namespace warmline::cli {
namespace {

int Serve(const server::Config& config) {
  // Blocked here and so in every thread: only the wait below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("warmline", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  spdlog::set_level(spdlog::level::from_str(config.log_level));
  auto server = server::Server::Start(config);
  if (!server.ok()) {
    std::cerr << "warmline serve: " << std::string(server.status().message()) << "\n";
    return kFailed;
  }
  spdlog::info("warmline {} listens on port {} (gRPC) and {} (operations), data in {}", server::Version(),
               (*server)->port(), (*server)->ops_port(), config.data_dir);
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("draining");
  // ^C is a person's, and so is a second signal: neither waits for callers to notice.
  if (signal == SIGTERM) {
    (*server)->BeginDrain();
    const timespec delay = absl::ToTimespec(config.drain_delay);
    sigtimedwait(&signals, nullptr, &delay);
  }
  (*server)->Drain();
  spdlog::info("stopped");
  return kOk;
}

// How much may be under way at once.
void AddPlaces(CLI::App& command, server::Config& config) {
  const CLI::Range places(1, 1'000'000);
  AddOption(command, "max-in-flight", config.max_in_flight, "Calls under way at once")->check(places);
  AddOption(command, "max-watches", config.max_watches, "Watches open at once")->check(places);
  AddOption(command, "max-in-flight-per-token", config.max_in_flight_per_token,
            "Calls of one token under way at once; its max_in_flight in the tokens file overrides this")
      ->check(places);
  AddOption(command, "max-watches-per-token", config.max_watches_per_token,
            "Watches of one token open at once; its max_watches in the tokens file overrides this")
      ->check(places);
  AddOption(command, "match-threads", config.match_threads,
            "Threads that match; 0: one for each processor that the process may use")
      ->check(CLI::Range(0, 256));
}

}  // namespace

void AddServe(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("serve", "Serve the gRPC API");
  auto config = std::make_shared<server::Config>();
  auto delay_ms = std::make_shared<int>(2'000);
  auto drain_ms = std::make_shared<int>(10'000);
  auto poll_ms = std::make_shared<int>(1'000);
  auto snapshot_ms = std::make_shared<int>(60'000);
  auto staleness_ms = std::make_shared<int>(600'000);
  auto market_ms = std::make_shared<int>(60'000);
  auto no_console = std::make_shared<bool>(false);
  AddOption(*command, "data-dir", config->data_dir, "Directory of the embedded database");
  AddOption(
      *command, "postgres", config->postgres,
      "Connection string of PostgreSQL, for many replicas on one truth; empty: SQLite in the data directory. Give "
      "passwords in a passfile or PGPASSWORD");
  AddOption(*command, "redis", config->redis,
            "Redis as cache and feed of replicas: redis://host:port, unix:///path, sentinel://host:port,…/master or "
            "cluster://host:port,…");
  AddOption(*command, "redis-prefix", config->redis_prefix, "What the keys in Redis begin with");
  AddOption(*command, "redis-password-file", config->redis_password_file, "File with the password for Redis");
  AddOption(*command, "poll-interval-ms", *poll_ms, "How often the store is asked for what other replicas wrote")
      ->check(CLI::Range(20, 60'000));
  AddOption(*command, "max-staleness-ms", *staleness_ms, "How long matches are served while the store is away")
      ->check(CLI::Range(1'000, 86'400'000));
  AddOption(*command, "snapshot-interval-ms", *snapshot_ms, "Time between two snapshots of an index that changes")
      ->check(CLI::Range(100, 86'400'000));
  AddOption(*command, "market-interval-ms", *market_ms, "Time between two counts of every pool's market for metrics")
      ->check(CLI::Range(100, 86'400'000));
  AddOption(*command, "listen", config->listen, "host:port of the gRPC API; port 0 chooses one");
  AddOption(*command, "ops-listen", config->ops_listen, "host:port of metrics, health and the console");
  AddOption(*command, "tokens-file", config->tokens_file,
            "JSON file of tokens; without it the operator's token is made in the data directory");
  AddOption(*command, "tls-cert-file", config->tls_cert_file,
            "PEM file of the API port's certificate chain; with --tls-key-file the port speaks TLS; read again when it "
            "changes");
  AddOption(*command, "tls-key-file", config->tls_key_file, "PEM file of its key");
  AddOption(*command, "tls-client-ca-file", config->tls_client_ca_file,
            "PEM file of the authority of callers' certificates; with it every caller must have one");
  AddFlag(*command, "ops-tls", config->ops_tls, "The operations port speaks TLS too, with the same certificate");
  AddFlag(*command, "no-console", *no_console,
          "Leave out the console and the JSON form of the reads on the operations port");
  AddOption(*command, "jwt-issuer", config->jwt_issuer,
            "Take JSON Web Tokens of this issuer (iss); with --jwt-audience and --jwt-jwks-file");
  AddOption(*command, "jwt-audience", config->jwt_audience, "The audience (aud) that they name");
  AddOption(*command, "jwt-jwks-file", config->jwt_jwks_file,
            "JSON Web Key Set file with the issuer's keys; read again when it changes");
  AddOption(*command, "jwt-claim", config->jwt_claim, "The claim that says what a token allows");
  AddOption(*command, "audit-file", config->audit_file,
            "File to which is written who changed what and who was refused; -: standard output; empty: nowhere");
  AddOption(*command, "audit-key-file", config->audit_key_file,
            "File with the key of members' pseudonyms there, 16 bytes or more; without it no member is told");
  AddOption(*command, "webhook-url", config->webhook_url,
            "Where events are sent to, as signed POSTs: https://host:port/path; empty: nowhere");
  AddOption(*command, "webhook-secret-file", config->webhook_secret_file,
            "File with the secret that signs them, 16 bytes or more");
  AddPlaces(*command, *config);
  const auto transport = AddTransportOptions(*command);
  AddOption(*command, "max-message-bytes", config->max_message_bytes, "Largest request message")
      ->check(CLI::Range(1'024, 256 * 1024 * 1024));
  AddOption(*command, "max-waiting-writes", config->max_waiting_writes, "Writes that may wait for a group commit")
      ->check(CLI::Range(1, 10'000'000));
  AddOption(*command, "read-threads", config->read_threads, "Threads that read records")->check(CLI::Range(1, 64));
  AddOption(*command, "drain-delay-ms", *delay_ms,
            "Time from SIGTERM in which calls are still answered, until callers have noticed; a second signal ends it")
      ->check(CLI::Range(0, 600'000));
  AddOption(*command, "drain-timeout-ms", *drain_ms, "Time for calls to end on SIGTERM")->check(CLI::Range(0, 600'000));
  AddOption(*command, "log-level", config->log_level, "trace, debug, info, warning, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}));
  command->callback(
      [config, transport, no_console, delay_ms, drain_ms, poll_ms, staleness_ms, snapshot_ms, market_ms, &exit_code] {
        config->console = !*no_console;
        config->transport = transport();
        config->snapshot_interval = absl::Milliseconds(*snapshot_ms);
        config->market_interval = absl::Milliseconds(*market_ms);
        config->poll_interval = absl::Milliseconds(*poll_ms);
        config->max_staleness = absl::Milliseconds(*staleness_ms);
        config->drain_delay = absl::Milliseconds(*delay_ms);
        config->drain_timeout = absl::Milliseconds(*drain_ms);
        exit_code = Serve(*config);
      });
}

}  // namespace warmline::cli
