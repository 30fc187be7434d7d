// Whether the server on this machine is well, for a container's health check: exit code 0, or 1 with the reason.
#include <absl/strings/str_cat.h>
#include <httplib.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/program.h"
#include "server/address.h"
#include "server/config.h"

namespace warmline::cli {
namespace {

struct HealthOptions {
  server::Config served;  // as `serve` was given it
  std::string probe = "ready";
  int timeout_ms = 2'000;
};

int Health(const HealthOptions& options) {
  auto address = server::SplitHostPort(options.served.ops_listen, "ops-listen");
  if (!address.ok()) {
    std::cerr << "warmline health: " << std::string(address.status().message()) << "\n";
    return kWrongUse;
  }
  // Where a server listens on all addresses, it is asked on this machine's own.
  const std::string host = address->first == "0.0.0.0" || address->first == "[::]" ? "127.0.0.1" : address->first;
  httplib::Client client(absl::StrCat(options.served.ops_tls ? "https://" : "http://", host, ":", address->second));
  // The certificate is made out to the service's name, and this call does not leave the machine.
  if (options.served.ops_tls) client.enable_server_certificate_verification(false);
  const std::chrono::milliseconds timeout(options.timeout_ms);
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  const std::string path = absl::StrCat("/", options.probe, "z");
  const auto response = client.Get(path);
  if (!response) {
    std::cerr << "warmline health: nothing answers at " << host << ":" << address->second
              << ": start `warmline serve`, or give its --ops-listen"
              << (options.served.ops_tls ? "" : " and --ops-tls") << "\n";
    return kFailed;
  }
  std::cout << response->body;
  return response->status == 200 ? kOk : kFailed;
}

}  // namespace

void AddHealth(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("health", "Say whether the server on this machine is well; for health checks");
  auto options = std::make_shared<HealthOptions>();
  AddOption(*command, "ops-listen", options->served.ops_listen,
            "host:port of its operations port, as `serve` is given it");
  AddFlag(*command, "ops-tls", options->served.ops_tls, "That port speaks TLS");
  AddOption(*command, "probe", options->probe,
            "ready: calls may come; live: the process answers; startup: it has begun")
      ->check(CLI::IsMember({"ready", "live", "startup"}));
  AddOption(*command, "timeout-ms", options->timeout_ms, "How long to wait")->check(CLI::Range(1, 60'000));
  command->callback([options, &exit_code] { exit_code = Health(*options); });
}

}  // namespace warmline::cli
