// Acknowledged durable writes a second with 64 callers that each wait for one at a time, over the rate of the store's
// own: the same rows, in batches of 64, with the same durability, on one connection, by nothing but the database's
// client library. Both by turns, in one run, for both stores. Callers are tasks in this process: `calls` goes through
// the group commit and the index, as a handler does; `rpc` through gRPC as well.
//   bench_write [--json] [--quick] [--seconds N] [--seed S]
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <grpcpp/create_channel.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <thread>

#include "application/members.h"
#include "application/pool_registry.h"
#include "application/write_queue.h"
#include "bench/options.h"
#include "bench/timings.h"
#include "bench/write_baselines.h"
#include "codec/records.h"
#include "server/server.h"
#include "simulation/community.h"
#include "storage/postgres/store.h"
#include "storage/sqlite/store.h"
#include "support/postgres_server.h"
#include "telemetry/prometheus_metrics.h"
#include "warmline/v1/member_service.grpc.pb.h"
#include "warmline/v1/pool_service.grpc.pb.h"

namespace warmline::bench {
namespace {

namespace pb = warmline::v1;

struct Options : CommonOptions {
  std::int64_t seconds = 4;
};

constexpr int kCallers = 64;
constexpr int kRounds = 3;
constexpr std::int64_t kMembers = 20'000;  // different ones; each write makes a member of its own

std::vector<domain::Member> MembersOf(const simulation::Community& community) {
  std::vector<domain::Member> members;
  for (std::int64_t i = 0; i < kMembers; ++i) members.push_back(community.HelperAt(i));
  return members;
}

// 64 callers through the group commit: each has one write under way. Writes a second.
class Callers {
 public:
  Callers(application::RecordStore& store, const simulation::Community& community)
      : members_(MembersOf(community)),
        pools_(store, clock_, metrics_),
        writes_(store, clock_, metrics_,
                [this](const application::WriteQueue::Committed& committed) { pools_.Apply(committed.changes); }, {}) {
    (void)pools_.Load();
  }

  double Rate(double seconds) {
    ends_ = absl::Now() + absl::Seconds(seconds);
    const std::int64_t began = absl::GetCurrentTimeNanos();
    done_ = 0;
    running_ = kCallers;
    for (int i = 0; i < kCallers; ++i) Next();
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return running_ == 0; });
    return static_cast<double>(done_) / (MicrosecondsSince(began) / 1e6);
  }

 private:
  void Next() {
    const std::int64_t number = next_++;
    auto member = std::make_shared<domain::Member>(members_[static_cast<std::size_t>(number % kMembers)]);
    member->id = absl::StrCat("m", number);
    application::WriteJob job;
    job.pool = "p";
    job.reads = {{application::RecordKey::Kind::kMember, "p", member->id, ""},
                 {application::RecordKey::Kind::kReply, "p", absl::StrCat("request-", number), ""}};
    job.run = [member, number](application::WriteTransaction& tx, absl::Time now) {
      std::string reply;
      return application::RunOnce(tx, "p", absl::StrCat("request-", number), 1, now, &reply,
                                  [&](std::string* subject) -> absl::Status {
                                    *subject = member->id;
                                    if (auto known = tx.GetMember("p", member->id); !known.ok()) return known.status();
                                    reply = codec::Encode("p", *member);
                                    return tx.Put("p", *member).status();
                                  });
    };
    job.done = [this](const absl::Status& status) {
      if (!status.ok()) {
        std::fprintf(stderr, "bench_write: %s\n", std::string(status.message()).c_str());
        std::exit(1);
      }
      done_.fetch_add(1, std::memory_order_relaxed);
      if (absl::Now() < ends_) {
        Next();
        return;
      }
      const std::lock_guard lock(mutex_);
      if (--running_ == 0) idle_.notify_one();
    };
    if (!writes_.Submit(std::move(job)).ok()) std::exit(1);
  }

  std::vector<domain::Member> members_;
  application::SystemClock clock_;
  telemetry::PrometheusMetrics metrics_{"bench"};
  application::PoolRegistry pools_;
  application::WriteQueue writes_;
  absl::Time ends_;
  std::atomic<std::int64_t> next_{0};
  std::atomic<std::int64_t> done_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  int running_ = 0;  // guarded by mutex_
};

void MakePool(application::RecordStore& store) {
  auto tx = store.Begin();
  domain::Pool pool;
  pool.id = "p";
  pool.display_name = "P";
  if (!tx.ok() || !(*tx)->Put(pool).ok() || !(*tx)->Commit().ok()) std::exit(1);
}

void Report(const Options& options, const char* store, const char* callers, double rate, double batched) {
  const char* format =
      options.json
          ? "{\"workload\":\"write\",\"store\":\"%s\",\"seed\":%lld,\"through\":\"%s\",\"callers\":%d,"
            "\"writes_per_s\":%.0f,\"batched_per_s\":%.0f,\"ratio_to_batched\":%.3f}\n"
          : "%s, seed %lld, through %s, %d callers: %.0f writes/s; the store's own batches: %.0f rows/s; ratio "
            "%.3f\n";
  std::printf(format, store, static_cast<long long>(options.seed), callers, kCallers, rate, batched, rate / batched);
  std::fflush(stdout);
}

// 64 callers through gRPC, each with one write under way.
class RpcCallers {
 public:
  RpcCallers(server::Config config, const simulation::Community& community) : members_(MembersOf(community)) {
    config.data_dir = testing::TemporaryDirectory("bench-write");
    config.listen = config.ops_listen = "127.0.0.1:0";
    auto server = server::Server::Start(config);
    if (!server.ok()) {
      std::fprintf(stderr, "bench_write: %s\n", std::string(server.status().message()).c_str());
      std::exit(1);
    }
    server_ = *std::move(server);
    std::ifstream(server::OperatorTokenPath(config.data_dir)) >> token_;
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()), grpc::InsecureChannelCredentials());
    directory_ = config.data_dir;
    stub_ = pb::MemberService::NewStub(channel_);
    pb::CreatePoolRequest request;
    request.mutable_actor()->set_audience(pb::OPERATOR);
    request.mutable_pool()->set_name("pools/p");
    request.mutable_pool()->set_display_name("P");
    request.set_request_id("bench-create-pool");
    pb::WritePoolResponse response;
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token_);
    (void)pb::PoolService::Stub(channel_).CreatePool(&context, request, &response);
  }
  ~RpcCallers() {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }
  RpcCallers(const RpcCallers&) = delete;
  RpcCallers& operator=(const RpcCallers&) = delete;

  double Rate(double seconds) {
    ends_ = absl::Now() + absl::Seconds(seconds);
    const std::int64_t began = absl::GetCurrentTimeNanos();
    done_ = 0;
    running_ = kCallers;
    for (int i = 0; i < kCallers; ++i) Next();
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return running_ == 0; });
    return static_cast<double>(done_) / (MicrosecondsSince(began) / 1e6);
  }

 private:
  struct Call {
    grpc::ClientContext context;
    pb::CreateMemberRequest request;
    pb::WriteMemberResponse response;
  };
  void Next() {
    const std::int64_t number = next_++;
    auto call = std::make_shared<Call>();
    call->context.AddMetadata("authorization", "Bearer " + token_);
    call->request.mutable_actor()->set_audience(pb::OPERATOR);
    call->request.set_parent("pools/p");
    call->request.set_request_id(absl::StrCat("request-", number));
    call->request.set_member_id(absl::StrCat("m", number));
    const domain::Member& member = members_[static_cast<std::size_t>(number % kMembers)];
    call->request.mutable_member()->set_kind(pb::PERSON);
    call->request.mutable_member()->set_display_name("Member");
    for (const auto& interest : member.interests)
      call->request.mutable_member()->add_interests()->set_interest(interest.canonical);
    stub_->async()->CreateMember(&call->context, &call->request, &call->response,
                                 [this, call](const grpc::Status& status) {
                                   if (!status.ok()) {
                                     std::fprintf(stderr, "bench_write: %s\n", status.error_message().c_str());
                                     std::exit(1);
                                   }
                                   done_.fetch_add(1, std::memory_order_relaxed);
                                   if (absl::Now() < ends_) {
                                     Next();
                                     return;
                                   }
                                   const std::lock_guard lock(mutex_);
                                   if (--running_ == 0) idle_.notify_one();
                                 });
  }

  std::vector<domain::Member> members_;
  std::string directory_;
  std::string token_;
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<pb::MemberService::Stub> stub_;
  absl::Time ends_;
  std::atomic<std::int64_t> next_{0};
  std::atomic<std::int64_t> done_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  int running_ = 0;  // guarded by mutex_
};

template <typename MeasureA, typename MeasureB>
std::pair<double, double> ByTurns(MeasureA a, MeasureB b) {
  std::vector<double> of_a;
  std::vector<double> of_b;
  for (int round = 0; round < kRounds; ++round) {
    of_a.push_back(a());
    of_b.push_back(b());
  }
  std::sort(of_a.begin(), of_a.end());
  std::sort(of_b.begin(), of_b.end());
  return {of_a[kRounds / 2], of_b[kRounds / 2]};
}

int Run(const Options& options) {
  spdlog::set_level(spdlog::level::off);
  const simulation::Community community({.helpers = kMembers, .seed = static_cast<std::uint64_t>(options.seed)});
  const std::vector<WriteRow> rows = MakeRows(community, kMembers);
  const auto seconds = static_cast<double>(options.seconds);
  {
    const std::string directory = testing::TemporaryDirectory("bench-write");
    auto store = storage::sqlite::Store::Open({.path = directory + "/warmline.db"});
    if (!store.ok()) return 1;
    MakePool(**store);
    SqliteBaseline baseline(directory + "/baseline.db", rows);
    {
      Callers callers(**store, community);
      const auto [rate, batched] =
          ByTurns([&] { return callers.Rate(seconds); }, [&] { return baseline.Rate(kCallers, seconds); });
      Report(options, "sqlite", "calls", rate, batched);
    }
    RpcCallers rpc({}, community);
    const auto [rate, batched] =
        ByTurns([&] { return rpc.Rate(seconds); }, [&] { return baseline.Rate(kCallers, seconds); });
    Report(options, "sqlite", "rpc", rate, batched);
    std::filesystem::remove_all(directory);
  }
  testing::PostgresServer postgres(true);
  if (!postgres.runs()) {
    std::fprintf(stderr, "bench_write: %s\n", postgres.why().c_str());
    return 1;
  }
  storage::postgres::StoreOptions store_options;
  store_options.connection.conninfo = postgres.ConnInfo(postgres.NewDatabase());
  auto store = storage::postgres::Store::Open(store_options);
  if (!store.ok()) return 1;
  MakePool(**store);
  // Tables of the same schema.
  storage::postgres::StoreOptions other = store_options;
  other.connection.conninfo = postgres.ConnInfo(postgres.NewDatabase());
  if (!storage::postgres::Store::Open(other).ok()) return 1;
  PostgresBaseline baseline(other.connection.conninfo, rows);
  {
    Callers callers(**store, community);
    const auto [rate, batched] =
        ByTurns([&] { return callers.Rate(seconds); }, [&] { return baseline.Rate(kCallers, seconds); });
    Report(options, "postgres", "calls", rate, batched);
  }
  server::Config config;
  config.postgres = postgres.ConnInfo(postgres.NewDatabase());
  RpcCallers rpc(config, community);
  const auto [rate, batched] =
      ByTurns([&] { return rpc.Rate(seconds); }, [&] { return baseline.Rate(kCallers, seconds); });
  Report(options, "postgres", "rpc", rate, batched);
  return 0;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  warmline::bench::Flags flags(options);
  flags.Number("--seconds", &options.seconds);
  if (!flags.Parse(argc, argv)) return 2;
  if (options.quick) options.seconds = 1;
  return warmline::bench::Run(options);
}
