// Checks a deployment from the client's side: each check with its result and, where it fails, the remedy.
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <sys/statvfs.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/program.h"
#include "server/config.h"
#include "server/deployment_checks.h"
#include "server/server.h"
#include "warmline/v1/pool_service.grpc.pb.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;

constexpr std::int64_t kMinFreeBytes = std::int64_t{256} * 1024 * 1024;

struct Check {
  std::string name;
  bool good = false;
  std::string detail;
};

Check CheckServer(const Client& client, const ClientOptions& options) {
  const bool connected = client.channel()->WaitForConnected(std::chrono::system_clock::now() +
                                                            std::chrono::milliseconds(options.timeout_ms));
  return {"server", connected,
          connected
              ? absl::StrCat("answers at ", options.server)
              : absl::StrCat("nothing answers at ", options.server, ": start `warmline serve`, or give --server")};
}

Check CheckToken(const Client& client) {
  pb::ListPoolsRequest request;
  *request.mutable_actor() = OperatorActor();
  pb::ListPoolsResponse response;
  const auto context = client.Context();
  const auto status = pb::PoolService::NewStub(client.channel())->ListPools(context.get(), request, &response);
  if (status.ok()) return {"token", true, absl::StrCat("is an operator's, and sees ", response.pools_size(), " pools")};
  return {"token", false, absl::StrCat(status.error_message(), ": give --token, --token-file or --data-dir")};
}

Check CheckLatency(const Client& client) {
  pb::ListPoolsRequest request;
  *request.mutable_actor() = OperatorActor();
  absl::Duration best = absl::InfiniteDuration();
  const auto stub = pb::PoolService::NewStub(client.channel());
  for (int i = 0; i < 10; ++i) {
    pb::ListPoolsResponse response;
    const auto context = client.Context();
    const absl::Time began = absl::Now();
    if (!stub->ListPools(context.get(), request, &response).ok())
      return {"latency", false, "a call failed: see the checks above"};
    best = std::min(best, absl::Now() - began);
  }
  return {"latency", true,
          absl::StrCat("a call takes ", absl::FormatDuration(absl::Trunc(best, absl::Microseconds(1))), " at best")};
}

Check CheckPool(const Client& client, const ClientOptions& options) {
  pb::GetIndexStateRequest request;
  *request.mutable_actor() = OperatorActor();
  request.set_name(options.parent());
  pb::IndexState state;
  const auto context = client.Context();
  const auto status = pb::PoolService::NewStub(client.channel())->GetIndexState(context.get(), request, &state);
  if (!status.ok()) return {"pool", false, status.error_message()};
  return {"pool", true,
          absl::StrCat(options.parent(), ": ", state.members(), " members, ", state.helpers(), " helpers, ",
                       state.interests(), " interests, ", state.directed_ties() / 2, " ties, ", state.open_needs(),
                       " open needs, ", state.bytes() / 1024, " KiB, statistics generation ",
                       state.statistics_generation())};
}

Check CheckDisk(const ClientOptions& options) {
  struct statvfs space {};
  if (!std::filesystem::exists(server::DatabasePath(options.data_dir)))
    return {"disk", true, "the data directory is not on this machine: not checked"};
  if (statvfs(options.data_dir.c_str(), &space) != 0)
    return {"disk", false, absl::StrCat("cannot look at ", options.data_dir)};
  const auto free = static_cast<std::int64_t>(space.f_bavail * space.f_frsize);
  return {
      "disk", free >= kMinFreeBytes,
      absl::StrCat(free / (1024 * 1024), " MiB free", free >= kMinFreeBytes ? "" : ": make room, or writes will fail")};
}

int Doctor(const ClientOptions& options, const server::Config& deployment) {
  const Client client(options);
  std::vector<Check> checks = {CheckServer(client, options)};
  if (checks[0].good) checks.push_back(CheckToken(client));
  if (checks.back().good) {
    checks.push_back(CheckLatency(client));
    if (!options.pool.empty()) checks.push_back(CheckPool(client, options));
  }
  if (deployment.postgres.empty()) checks.push_back(CheckDisk(options));
  for (server::DeploymentCheck& check : server::CheckDeployment(deployment))
    checks.push_back({std::move(check.name), check.good, std::move(check.detail)});
  bool good = true;
  nlohmann::json json = nlohmann::json::array();
  for (const Check& check : checks) {
    good = good && check.good;
    json.push_back({{"check", check.name}, {"ok", check.good}, {"detail", check.detail}});
    if (!options.json()) std::cout << (check.good ? "ok    " : "WRONG ") << check.name << ": " << check.detail << "\n";
  }
  if (options.json())
    std::cout << nlohmann::json({{"version", server::Version()}, {"ok", good}, {"checks", json}}).dump() << "\n";
  return good ? kOk : kFailed;
}

}  // namespace

void AddDoctor(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("doctor", "Check a deployment, and say what to do about what is wrong");
  auto options = std::make_shared<ClientOptions>();
  options->AddTo(*command);
  command->get_option("--pool")->required(false);
  auto deployment = std::make_shared<server::Config>();
  AddOption(*command, "postgres", deployment->postgres, "Check this PostgreSQL too, as `serve` is given it");
  AddOption(*command, "redis", deployment->redis, "Check this Redis too");
  AddOption(*command, "redis-prefix", deployment->redis_prefix, "What the keys in Redis begin with");
  AddOption(*command, "redis-password-file", deployment->redis_password_file, "File with the password for Redis");
  command->callback([options, deployment, &exit_code] { exit_code = Doctor(*options, *deployment); });
}

}  // namespace warmline::cli
