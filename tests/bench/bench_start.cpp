// How long a replica takes from its start until it may answer: from every record of the store, from the file beside the
// embedded database, from the blocks in Redis. Whole servers, in this process; PostgreSQL and Redis of its own. Answers
// of the one that was built and of the one from a snapshot are compared.
//   bench_start [--json] [--quick] [--helpers N] [--rounds N] [--seed S]
#include <absl/time/clock.h>
#include <grpcpp/create_channel.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "bench/options.h"
#include "bench/timings.h"
#include "server/server.h"
#include "simulation/community.h"
#include "storage/postgres/store.h"
#include "storage/sqlite/store.h"
#include "support/postgres_server.h"
#include "support/redis_server.h"
#include "warmline/v1/match_service.grpc.pb.h"

namespace warmline::bench {
namespace {

namespace pb = warmline::v1;

struct Options : CommonOptions {
  std::int64_t rounds = 3;
};

constexpr int kRecordsACommit = 5'000;
constexpr int kNeeds = 200;

bool Fill(application::RecordStore& store, const simulation::Community& community, std::int64_t helpers) {
  for (std::int64_t at = 0; at < helpers; at += kRecordsACommit) {
    auto tx = store.Begin({.pools = {"p"}, .reads = {}});
    if (!tx.ok()) return false;
    if (at == 0) {
      domain::Pool pool;
      pool.id = "p";
      pool.display_name = "P";
      if (!(*tx)->Put(pool).ok()) return false;
    }
    for (std::int64_t i = at; i < std::min(helpers, at + kRecordsACommit); ++i) {
      domain::Member member = community.HelperAt(i);
      if (!(*tx)->Put("p", member).ok()) return false;
    }
    if (!(*tx)->Commit().ok()) return false;
  }
  return true;
}

// Milliseconds until the server may answer, and its answers.
struct Started {
  double ms = 0;
  std::vector<std::string> answers;
  bool found = false;  // it said that a snapshot was used
};

Started Start(const server::Config& config, const simulation::Community& community,
              const std::function<bool()>& until) {
  Started started;
  const std::int64_t began = absl::GetCurrentTimeNanos();
  auto server = server::Server::Start(config);
  if (!server.ok()) {
    std::fprintf(stderr, "bench_start: %s\n", std::string(server.status().message()).c_str());
    std::exit(1);
  }
  started.ms = MicrosecondsSince(began) / 1e3;
  std::string token;
  std::ifstream(server::OperatorTokenPath(config.data_dir)) >> token;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  pb::MatchService::Stub stub(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string((*server)->port()),
                                                        grpc::InsecureChannelCredentials(), arguments));
  for (int i = 0; i < kNeeds; ++i) {
    const domain::Need need = community.NeedAt(i);
    pb::MatchRequest request;
    request.mutable_actor()->set_audience(pb::OPERATOR);
    request.set_parent("pools/p");
    request.mutable_inline_need()->set_seeker("pools/p/members/" + need.seeker);
    for (const auto kind : need.help_kinds)
      request.mutable_inline_need()->add_help_kinds(static_cast<pb::HelpKind>(kind));
    for (const auto& interest : need.interests)
      request.mutable_inline_need()->add_interests()->set_interest(interest.canonical);
    pb::MatchResponse response;
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    const auto status = stub.Match(&context, request, &response);
    std::string answer = status.ok() ? "" : status.error_message();
    for (const auto& match : response.matches()) answer += match.helper() + " " + std::to_string(match.score()) + "\n";
    started.answers.push_back(std::move(answer));
  }
  while (!until()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return started;
}

int Differences(const Started& a, const Started& b) {
  int different = 0;
  for (std::size_t i = 0; i < a.answers.size(); ++i) different += a.answers[i] == b.answers[i] ? 0 : 1;
  return different;
}

void Report(const Options& options, const char* source, const Started& built, std::vector<Started> starts) {
  std::sort(starts.begin(), starts.end(), [](const Started& a, const Started& b) { return a.ms < b.ms; });
  const Started& median = starts[starts.size() / 2];
  int mismatches = 0;
  for (const Started& s : starts) mismatches += Differences(built, s);
  const char* format =
      options.json ? "{\"workload\":\"start\",\"helpers\":%lld,\"seed\":%lld,\"source\":\"%s\",\"ready_ms\":%.1f,"
                     "\"store_ready_ms\":%.1f,\"times_faster_than_store\":%.2f,\"answers\":%zu,\"mismatches\":%d}\n"
                   : "%lld helpers, seed %lld, %s: ready in %.1f ms, from the store in %.1f ms: %.2f times faster; %zu "
                     "answers, %d different\n";
  std::printf(format, static_cast<long long>(options.helpers), static_cast<long long>(options.seed), source, median.ms,
              built.ms, built.ms / median.ms, median.answers.size() * starts.size(), mismatches);
  std::fflush(stdout);
}

int Run(const Options& options) {
  spdlog::set_level(spdlog::level::off);
  const simulation::Community community({.helpers = options.helpers, .seed = static_cast<std::uint64_t>(options.seed)});
  const auto at_once = [] { return true; };

  server::Config embedded;
  embedded.data_dir = testing::TemporaryDirectory("bench-start");
  embedded.listen = embedded.ops_listen = "127.0.0.1:0";
  {
    auto store = storage::sqlite::Store::Open({.path = server::DatabasePath(embedded.data_dir), .synchronous = "OFF"});
    if (!store.ok() || !Fill(**store, community, options.helpers)) return 1;
  }
  const std::string file = embedded.data_dir + "/snapshots/p.snapshot";
  // Statistics are counted once, a moment after the first start: the snapshot after that is the one.
  (void)Start(embedded, community, [&] { return absl::SleepFor(absl::Seconds(3)), true; });
  std::filesystem::remove(file);
  const Started from_sqlite = Start(embedded, community, [&] { return std::filesystem::exists(file); });
  std::vector<Started> from_file;
  for (int i = 0; i < options.rounds; ++i) from_file.push_back(Start(embedded, community, at_once));
  Report(options, "file", from_sqlite, from_file);
  std::filesystem::remove_all(embedded.data_dir);

  testing::PostgresServer postgres;
  testing::RedisServer redis;
  if (!postgres.runs() || !redis.runs()) {
    std::fprintf(stderr, "bench_start: PostgreSQL or Redis does not start: run scripts/install-packages test\n");
    return 1;
  }
  server::Config cluster;
  cluster.data_dir = testing::TemporaryDirectory("bench-start");
  cluster.listen = cluster.ops_listen = "127.0.0.1:0";
  cluster.postgres = postgres.ConnInfo(postgres.NewDatabase());
  cluster.redis = redis.url();
  {
    storage::postgres::StoreOptions store_options;
    store_options.connection.conninfo = cluster.postgres;
    store_options.connection.statement_timeout = absl::Minutes(1);
    auto store = storage::postgres::Store::Open(store_options);
    if (!store.ok() || !Fill(**store, community, options.helpers)) return 1;
  }
  (void)Start(cluster, community, [&] { return absl::SleepFor(absl::Seconds(3)), true; });
  redis.Do({"FLUSHALL"});
  const auto has_manifest = [&] { return redis.Do({"EXISTS", "warmline:{p}:manifest"}) == "1"; };
  const Started from_postgres = Start(cluster, community, has_manifest);
  std::vector<Started> from_redis;
  for (int i = 0; i < options.rounds; ++i) from_redis.push_back(Start(cluster, community, at_once));
  Report(options, "redis", from_postgres, from_redis);
  std::filesystem::remove_all(cluster.data_dir);
  return 0;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  warmline::bench::Flags flags(options);
  flags.Number("--rounds", &options.rounds);
  if (!flags.Parse(argc, argv)) return 2;
  if (options.quick) options.helpers = 50'000;
  return warmline::bench::Run(options);
}
