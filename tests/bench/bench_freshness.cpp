// How long after a write was acknowledged on one replica another one answers by it: with Redis as the feed, and by
// asking the store alone. Whole servers, in this process; PostgreSQL and Redis of its own.
//   bench_freshness [--json] [--quick] [--helpers N] [--writes N] [--seed S]
#include <absl/time/clock.h>
#include <grpcpp/create_channel.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/rcu.h"
#include "bench/options.h"
#include "bench/timings.h"
#include "domain/revision.h"
#include "server/server.h"
#include "support/postgres_server.h"
#include "support/redis_server.h"
#include "warmline/v1/match_service.grpc.pb.h"
#include "warmline/v1/member_service.grpc.pb.h"
#include "warmline/v1/pool_service.grpc.pb.h"

namespace warmline::bench {
namespace {

namespace pb = warmline::v1;

struct Options : CommonOptions {
  std::int64_t writes = 500;
};

// A replica, and a client of it.
class Replica {
 public:
  explicit Replica(server::Config config) : directory_(testing::TemporaryDirectory("bench-freshness")) {
    config.data_dir = directory_;
    config.listen = config.ops_listen = "127.0.0.1:0";
    auto server = server::Server::Start(config);
    if (!server.ok()) {
      std::fprintf(stderr, "bench_freshness: %s\n", std::string(server.status().message()).c_str());
      std::exit(1);
    }
    server_ = *std::move(server);
    std::ifstream(server::OperatorTokenPath(directory_)) >> token_;
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->port()),
                                         grpc::InsecureChannelCredentials(), arguments);
  }
  ~Replica() {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  [[nodiscard]] std::unique_ptr<grpc::ClientContext> Context() const {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", "Bearer " + token_);
    return context;
  }
  [[nodiscard]] std::shared_ptr<grpc::Channel> channel() const { return channel_; }

 private:
  std::string directory_;
  std::string token_;
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

pb::Actor Operator() {
  pb::Actor actor;
  actor.set_audience(pb::OPERATOR);
  return actor;
}

void Fail(const grpc::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench_freshness: %s\n", status.error_message().c_str());
  std::exit(1);
}

pb::Member Helper(std::int64_t number, const std::string& interest) {
  pb::Member member;
  member.set_kind(pb::PERSON);
  member.set_display_name("Helper " + std::to_string(number));
  member.add_interests()->set_interest(interest);
  pb::Offer* offer = member.mutable_offer();
  offer->add_help_kinds(pb::ADVICE);
  offer->mutable_capacity()->set_open_asks(2);
  offer->mutable_capacity()->set_asks_per_week(2);
  offer->add_languages("en");
  offer->add_open_to(pb::POOL);
  return member;
}

void Measure(const Options& options, const testing::PostgresServer& postgres, const std::string& database,
             const std::string& redis, absl::Duration poll) {
  server::Config config;
  config.postgres = postgres.ConnInfo(database);
  config.redis = redis;
  config.poll_interval = poll;
  Replica a(config);
  Replica b(config);
  pb::PoolService::Stub pools(a.channel());
  pb::MemberService::Stub members(a.channel());
  pb::MatchService::Stub matches(b.channel());
  {
    pb::CreatePoolRequest request;
    *request.mutable_actor() = Operator();
    request.mutable_pool()->set_name("pools/p");
    request.mutable_pool()->set_display_name("P");
    request.set_request_id("bench-create-pool");
    pb::WritePoolResponse response;
    Fail(pools.CreatePool(a.Context().get(), request, &response));
    pb::ImportResponse imported;
    const auto context = a.Context();
    const auto writer = members.Import(context.get(), &imported);
    pb::ImportRequest import;
    *import.mutable_actor() = Operator();
    import.set_parent("pools/p");
    import.set_vouch(true);
    for (std::int64_t i = 0; i <= options.helpers; ++i) {
      pb::Member* member = import.add_rows()->mutable_member();
      *member = Helper(i, "skill:common");
      member->set_name(i == 0 ? "seeker" : "h" + std::to_string(i));
      if (import.rows_size() < 1'000 && i < options.helpers) continue;
      writer->Write(import);
      import.clear_rows();
    }
    writer->WritesDone();
    Fail(writer->Finish());
  }
  std::this_thread::sleep_for(std::chrono::seconds(3));
  Timings visible;
  for (std::int64_t i = 0; i < options.writes; ++i) {
    const std::string interest = "skill:fresh-" + std::to_string(i);
    pb::UpdateMemberRequest update;
    *update.mutable_actor() = Operator();
    *update.mutable_member() = Helper(1, interest);
    update.mutable_member()->set_name("pools/p/members/h1");
    update.add_update_mask("interests");
    pb::WriteMemberResponse written;
    Fail(members.UpdateMember(a.Context().get(), update, &written));
    const std::int64_t acknowledged = absl::GetCurrentTimeNanos();
    while (true) {
      pb::MatchRequest request;
      *request.mutable_actor() = Operator();
      request.set_parent("pools/p");
      request.mutable_inline_need()->set_seeker("pools/p/members/seeker");
      request.mutable_inline_need()->add_help_kinds(pb::ADVICE);
      request.mutable_inline_need()->add_interests()->set_interest(interest);
      pb::MatchResponse response;
      const auto status = matches.Match(b.Context().get(), request, &response);
      if (status.ok() && response.matches_size() == 1) break;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    visible.Add(MicrosecondsSince(acknowledged));
  }
  const char* format = options.json
                           ? "{\"workload\":\"freshness\",\"helpers\":%lld,\"seed\":%lld,\"by\":\"%s\","
                             "\"poll_ms\":%lld,\"writes\":%zu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n"
                           : "%lld helpers, seed %lld, by %s, asking every %lld ms: %zu writes, p50 %.2f ms, "
                             "p99 %.2f ms, at most %.2f ms\n";
  std::printf(format, static_cast<long long>(options.helpers), static_cast<long long>(options.seed),
              redis.empty() ? "asking the store" : "feed in Redis",
              static_cast<long long>(absl::ToInt64Milliseconds(poll)), visible.size(), visible.Quantile(0.5) / 1e3,
              visible.Quantile(0.99) / 1e3, visible.Quantile(1.0) / 1e3);
  std::fflush(stdout);
}

int Run(Options options) {
  spdlog::set_level(spdlog::level::off);
  testing::PostgresServer postgres(true);
  testing::RedisServer redis;
  if (!postgres.runs() || !redis.runs()) {
    std::fprintf(stderr, "bench_freshness: PostgreSQL or Redis does not start: run scripts/install-packages test\n");
    return 1;
  }
  Measure(options, postgres, postgres.NewDatabase(), redis.url(), absl::Seconds(1));
  // As many seconds as writes at most: fewer of them.
  options.writes = std::min<std::int64_t>(options.writes, options.quick ? 10 : 60);
  Measure(options, postgres, postgres.NewDatabase(), "", absl::Seconds(1));
  return 0;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  options.helpers = 100'000;
  warmline::bench::Flags flags(options);
  flags.Number("--writes", &options.writes);
  if (!flags.Parse(argc, argv)) return 2;
  if (options.quick) {
    options.helpers = 2'000;
    options.writes = 100;
  }
  return warmline::bench::Run(options);
}
