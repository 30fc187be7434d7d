// Three replicas on PostgreSQL and Redis, all as processes of their own, under writes and matches, while everything
// between and under them fails: nothing that was acknowledged may be missing, and every answer must be what the oracle
// says for the revision that it names. Seeds are printed; WARMLINE_FAULT_SEED replays, WARMLINE_FAULTS says how many
// faults of one server each run has (30 by default), WARMLINE_FAILOVERS how many fail-overs.
#include <absl/strings/str_cat.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "codec/resources.h"
#include "domain/revision.h"
#include "storage/postgres/store.h"
#include "support/oracle.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/random_world.h"
#include "support/redis_server.h"
#include "support/tcp_gate.h"

namespace warmline::testing {
namespace {

constexpr int kReplicas = 3;
constexpr int kMembers = 150;
constexpr int kWriters = 3;
constexpr int kMatchers = 2;

int FromEnvironment(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

void Sleep(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// A random member that the API takes.
domain::Member Valid(RandomWorld& random, const std::string& id) {
  while (true) {
    domain::Member member = random.Member(id);
    domain::Violations violations;
    domain::ValidateMember(member, "", violations);
    if (violations.empty()) return member;
  }
}

// What a writer was told is kept: the revision, and how the record is known again.
struct Acknowledged {
  std::int64_t revision = 0;
  std::string mark;
};

// What a matcher was told.
struct Answer {
  domain::Need need;
  int top_k = 0;
  pb::MatchResponse response;
};

class World {
 public:
  // `redis_url` as replica `i` sees it.
  World(std::uint64_t seed, std::function<std::string(int)> redis_url)
      : seed_(seed), redis_url_(std::move(redis_url)), postgres_(), database_(postgres_.NewDatabase()) {
    for (int i = 0; i < kReplicas; ++i) {
      directories_.push_back(TemporaryDirectory("fault"));
      ports_.push_back(FreePort());
      gates_.push_back(std::make_unique<TcpGate>(postgres_.port(), seed + static_cast<std::uint64_t>(i) * 1'000));
      replicas_.push_back(nullptr);
      StartReplica(i);
    }
    for (int i = 0; i < kMembers; ++i) ids_.push_back("m" + std::to_string(i));
    Load();
  }
  ~World() {
    Stop();
    replicas_.clear();
    for (const auto& directory : directories_) std::filesystem::remove_all(directory);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void Begin() {
    for (int w = 0; w < kWriters; ++w) threads_.emplace_back([this, w] { Write(w); });
    for (int m = 0; m < kMatchers; ++m) threads_.emplace_back([this, m] { Match(m); });
  }
  void Stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  PostgresServer& postgres() { return postgres_; }
  TcpGate& gate(int i) { return *gates_[static_cast<std::size_t>(i)]; }
  void KillReplica(int i) {
    const std::lock_guard lock(mutex_);
    replicas_[static_cast<std::size_t>(i)]->Kill9();
  }
  void StartReplica(int i) {
    const auto at = static_cast<std::size_t>(i);
    std::unique_ptr<ServeProcess> replica;
    for (int tries = 0; tries < 60; ++tries) {
      replica = std::make_unique<ServeProcess>(
          directories_[at],
          std::vector<std::string>{"--listen", "127.0.0.1:" + std::to_string(ports_[at]), "--postgres",
                                   postgres_.ConnInfo(database_, gates_[at]->port()), "--redis", redis_url_(i),
                                   "--poll-interval-ms", "200", "--snapshot-interval-ms", "500", "--log-level", "off"});
      // With the log off it does not say that it listens: asking tells.
      if (WaitUntilServing(*replica, ports_[at])) break;
      replica->Kill9();
    }
    const std::lock_guard lock(mutex_);
    replicas_[at] = std::move(replica);
  }
  void SignalReplica(int i, int signal) {
    const std::lock_guard lock(mutex_);
    replicas_[static_cast<std::size_t>(i)]->Signal(signal);
  }

  // Everything against the change log. The world must stand still.
  void Verify();

 private:
  bool WaitUntilServing(const ServeProcess& replica, int port);
  [[nodiscard]] std::shared_ptr<grpc::Channel> ChannelTo(int i) const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(ports_[static_cast<std::size_t>(i)]),
                                     grpc::InsecureChannelCredentials(), arguments);
  }
  std::unique_ptr<grpc::ClientContext> Context(int i, int timeout_ms) const {
    std::string token;
    std::ifstream(server::OperatorTokenPath(directories_[static_cast<std::size_t>(i)])) >> token;
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", "Bearer " + token);
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
    return context;
  }
  void Load();
  void Write(int writer);
  void Match(int matcher);
  void Note(const std::string& token, const std::string& mark) {
    const auto revision = domain::ParseRevisionToken(token);
    const std::lock_guard lock(mutex_);
    ASSERT_TRUE(revision.has_value());
    acknowledged_.push_back({revision->number, mark});
  }

  const std::uint64_t seed_;
  const std::function<std::string(int)> redis_url_;
  PostgresServer postgres_;
  const std::string database_;
  std::vector<std::string> directories_;
  std::vector<int> ports_;
  std::vector<std::unique_ptr<TcpGate>> gates_;
  std::vector<std::string> ids_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::unique_ptr<ServeProcess>> replicas_;  // guarded by mutex_ once threads run
  std::vector<Acknowledged> acknowledged_;               // guarded by mutex_
  std::vector<Answer> answers_;                          // guarded by mutex_
  std::atomic<int> refused_{0};
};

bool World::WaitUntilServing(const ServeProcess&, int port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), arguments)
      ->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
}

void World::Load() {
  pb::CreatePoolRequest create;
  *create.mutable_actor() = Operator();
  create.mutable_pool()->set_name("pools/p");
  create.mutable_pool()->set_display_name("P");
  create.set_request_id("create-the-pool");
  pb::WritePoolResponse created;
  const auto made = pb::PoolService::Stub(ChannelTo(0)).CreatePool(Context(0, 10'000).get(), create, &created);
  ASSERT_TRUE(made.ok()) << made.error_message();
  RandomWorld random(seed_);
  pb::MemberService::Stub stub(ChannelTo(0));
  pb::ImportResponse response;
  const auto context = Context(0, 30'000);
  const auto writer = stub.Import(context.get(), &response);
  pb::ImportRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_vouch(true);
  for (const auto& id : ids_) *request.add_rows()->mutable_member() = codec::ToProto("p", Valid(random, id));
  writer->Write(request);
  writer->WritesDone();
  const auto status = writer->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.refused(), 0);
  for (int i = 0; i < kReplicas; ++i) {
    pb::MatchRequest match;
    *match.mutable_actor() = Operator();
    match.set_parent("pools/p");
    match.set_min_revision(response.revision());
    match.mutable_min_revision_wait()->set_seconds(10);
    *match.mutable_inline_need() = NeedOf(ids_[0], {"skill:sql"});
    pb::MatchResponse reached;
    const auto came = pb::MatchService::Stub(ChannelTo(i)).Match(Context(i, 15'000).get(), match, &reached);
    ASSERT_TRUE(came.ok()) << came.error_message();
  }
}

// Each write is retried, on any replica, until it is acknowledged or refused for good.
void World::Write(int writer) {
  RandomWorld random(seed_ * 31 + static_cast<std::uint64_t>(writer));
  std::vector<pb::MemberService::Stub> stubs;
  for (int i = 0; i < kReplicas; ++i) stubs.emplace_back(ChannelTo(i));
  for (int n = 0; !stopping_; ++n) {
    const std::string mark = absl::StrCat("mark-", writer, "-", n);
    const int kind = random.Below(10);
    const domain::Member member = Valid(random, ids_[static_cast<std::size_t>(random.Below(kMembers))]);
    const domain::Connection tie = random.Connection(ids_);
    const domain::Block block = random.Block(ids_);
    while (!stopping_) {
      const int i = random.Below(kReplicas);
      auto& stub = stubs[static_cast<std::size_t>(i)];
      grpc::Status status;
      std::string revision;
      if (kind < 6) {
        pb::UpdateMemberRequest request;
        *request.mutable_actor() = Operator();
        *request.mutable_member() = codec::ToProto("p", member);
        request.mutable_member()->clear_etag();
        request.mutable_member()->set_display_name(mark);
        for (const char* field : {"display_name", "interests", "offer", "introduces", "evidence"})
          request.add_update_mask(field);
        pb::WriteMemberResponse response;
        status = stub.UpdateMember(Context(i, 2'000).get(), request, &response);
        revision = response.revision();
      } else if (kind < 8) {
        pb::CreateConnectionRequest request;
        *request.mutable_actor() = Operator();
        request.set_parent("pools/p");
        request.set_request_id("request-" + mark);
        *request.mutable_connection() = codec::ToProto("p", tie);
        pb::WriteConnectionResponse response;
        status = stub.CreateConnection(Context(i, 2'000).get(), request, &response);
        revision = response.revision();
      } else if (kind < 9) {
        pb::CreateBlockRequest request;
        *request.mutable_actor() = Operator();
        request.set_parent("pools/p");
        *request.mutable_block() = codec::ToProto("p", block);
        pb::WriteBlockResponse response;
        status = stub.CreateBlock(Context(i, 2'000).get(), request, &response);
        revision.clear();  // a block that is there already takes no revision: nothing to know it by
      } else {
        pb::DeleteConnectionRequest request;
        *request.mutable_actor() = Operator();
        request.set_name(absl::StrCat("pools/p/connections/", tie.a, "~", tie.b));
        pb::DeleteResponse response;
        status = stub.DeleteConnection(Context(i, 2'000).get(), request, &response);
        revision = response.revision();
      }
      if (status.ok()) {
        if (!revision.empty()) Note(revision, kind < 6 ? mark : "");
        break;
      }
      const auto code = status.error_code();
      if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::DEADLINE_EXCEEDED &&
          code != grpc::StatusCode::RESOURCE_EXHAUSTED && code != grpc::StatusCode::CANCELLED) {
        // A tie that is there already, or is not: an answer like another. A defect is not.
        EXPECT_NE(code, grpc::StatusCode::INTERNAL) << status.error_message();
        EXPECT_NE(code, grpc::StatusCode::UNKNOWN) << status.error_message();
        break;
      }
      ++refused_;
      Sleep(5);
    }
    Sleep(2);
  }
}

void World::Match(int matcher) {
  RandomWorld random(seed_ * 77 + static_cast<std::uint64_t>(matcher));
  std::vector<pb::MatchService::Stub> stubs;
  for (int i = 0; i < kReplicas; ++i) stubs.emplace_back(ChannelTo(i));
  for (int n = 0; !stopping_; ++n) {
    const int i = random.Below(kReplicas);
    domain::Need need = random.Need("", ids_);
    need.relaxations.clear();
    pb::MatchRequest request;
    *request.mutable_actor() = Operator();
    request.set_parent("pools/p");
    request.set_top_k(1 + random.Below(12));
    *request.mutable_inline_need() = codec::ToProto("p", need);
    request.mutable_inline_need()->clear_name();
    request.mutable_inline_need()->clear_etag();
    request.mutable_inline_need()->clear_create_time();
    Answer answer;
    domain::Violations violations;
    answer.need = codec::FromProto("p", request.inline_need(), "", violations);
    answer.need.id = domain::InlineNeedId(answer.need);
    answer.need.create_time = absl::UnixEpoch();
    answer.top_k = request.top_k();
    const auto status =
        stubs[static_cast<std::size_t>(i)].Match(Context(i, 2'000).get(), request, &answer.response);
    if (status.ok()) {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    } else {
      const auto code = status.error_code();
      EXPECT_TRUE(code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED ||
                  code == grpc::StatusCode::CANCELLED)
          << status.error_message();
    }
    Sleep(5);
  }
}

// Replays a change on whole records.
struct Replay {
  OracleWorld& world;
  void operator()(std::monostate) const {}
  void operator()(const domain::Pool& pool) const { world.policy = pool.policy; }
  void operator()(const domain::Member& member) const {
    std::erase_if(world.members, [&](const auto& m) { return m.id == member.id; });
    world.members.push_back(member);
  }
  void operator()(const domain::MemberErased&) const { ADD_FAILURE() << "nobody was erased"; }
  void operator()(const domain::Connection& tie) const {
    (*this)(domain::ConnectionDeleted{tie.a, tie.b});
    world.ties.push_back(tie);
  }
  void operator()(const domain::ConnectionDeleted& tie) const {
    std::erase_if(world.ties, [&](const auto& t) { return t.a == tie.a && t.b == tie.b; });
  }
  void operator()(const domain::Block& block) const {
    (*this)(domain::BlockDeleted{block.blocker, block.blocked});
    world.blocks.push_back(block);
  }
  void operator()(const domain::BlockDeleted& block) const {
    std::erase_if(world.blocks, [&](const auto& b) { return b.blocker == block.blocker && b.blocked == block.blocked; });
  }
  void operator()(const domain::Need&) const {}
  void operator()(const domain::NeedDeleted&) const {}
  void operator()(const domain::Statistics& statistics) const { world.statistics = statistics; }
};

void World::Verify() {
  storage::postgres::StoreOptions options;
  options.connection.conninfo = postgres_.ConnInfo(database_);
  auto store = storage::postgres::Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  auto reader = (*store)->Read();
  ASSERT_TRUE(reader.ok());
  std::vector<domain::Change> log;
  while (true) {
    auto page = (*reader)->ListChanges("p", static_cast<std::int64_t>(log.size()), 5'000);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->empty()) break;
    for (auto& change : *page) {
      ASSERT_EQ(change.revision, static_cast<std::int64_t>(log.size()) + 1);  // no gap, nothing twice
      if (auto* statistics = std::get_if<domain::Statistics>(&change.body)) {
        auto whole = (*reader)->GetStatisticsOf("p", statistics->generation);
        ASSERT_TRUE(whole.ok() && whole->has_value()) << "too many generations for this test";
        *statistics = **std::move(whole);
      }
      log.push_back(std::move(change));
    }
  }
  int lost = 0;
  for (const Acknowledged& a : acknowledged_) {
    const bool there = a.revision >= 1 && a.revision <= static_cast<std::int64_t>(log.size());
    const auto* member = there ? std::get_if<domain::Member>(&log[static_cast<std::size_t>(a.revision - 1)].body) : nullptr;
    if (!there || (!a.mark.empty() && (member == nullptr || member->display_name != a.mark))) ++lost;
  }
  std::multimap<std::int64_t, const Answer*> by_revision;
  for (const Answer& answer : answers_)
    by_revision.emplace(domain::ParseRevisionToken(answer.response.revision())->number, &answer);
  OracleWorld world;
  std::int64_t at = 0;
  int different = 0;
  for (const auto& [revision, answer] : by_revision) {
    ASSERT_LE(revision, static_cast<std::int64_t>(log.size()));
    for (; at < revision; ++at) std::visit(Replay{world}, log[static_cast<std::size_t>(at)].body);
    world.epoch_hour = answer->response.epoch();
    const OracleAnswer expected = BruteForce(world, answer->need, answer->top_k);
    bool same = static_cast<std::size_t>(answer->response.matches_size()) == expected.ranked.size();
    for (std::size_t k = 0; same && k < expected.ranked.size(); ++k) {
      const auto& match = answer->response.matches(static_cast<int>(k));
      same = match.helper() == "pools/p/members/" + expected.ranked[k].id && match.score() == expected.ranked[k].score;
    }
    if (!same && ++different <= 3) {
      std::printf("at revision %lld:\n", static_cast<long long>(revision));
      for (const auto& match : answer->response.matches())
        std::printf("  answered %s %u\n", match.helper().c_str(), match.score());
      for (const auto& match : expected.ranked)
        std::printf("  oracle   %s %llu\n", match.id.c_str(), static_cast<unsigned long long>(match.score));
    }
  }
  std::printf(
      "  %zu acknowledged writes, %d lost; %zu answers, %d different from the oracle at their revision; head revision "
      "%zu; %d calls refused and tried again\n",
      acknowledged_.size(), lost, answers_.size(), different, log.size(), refused_.load());
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(different, 0);
  EXPECT_GT(acknowledged_.size(), 20U);
  EXPECT_GT(answers_.size(), 20U);
}

std::uint64_t Seed(std::uint64_t otherwise) {
  const auto seed = static_cast<std::uint64_t>(FromEnvironment("WARMLINE_FAULT_SEED", static_cast<int>(otherwise)));
  std::printf("  seed %llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

TEST(ClusterFaults, OfProcessesAndNetworks) {
  const int faults = FromEnvironment("WARMLINE_FAULTS", 30);
  const std::uint64_t seed = Seed(20'261'125);
  RedisServer redis;
  std::vector<std::unique_ptr<TcpGate>> redis_gates;
  for (int i = 0; i < kReplicas; ++i)
    redis_gates.push_back(std::make_unique<TcpGate>(redis.port(), seed + 500 + static_cast<std::uint64_t>(i)));
  World world(seed, [&](int i) {
    return "redis://127.0.0.1:" + std::to_string(redis_gates[static_cast<std::size_t>(i)]->port());
  });
  world.Begin();
  std::mt19937_64 random(seed);
  std::map<std::string, int> done;
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); };
  for (int fault = 0; fault < faults; ++fault) {
    const int i = below(kReplicas);
    TcpGate& to_database = world.gate(i);
    TcpGate& to_redis = *redis_gates[static_cast<std::size_t>(i)];
    const auto for_a_while = [&](TcpGate& gate, TcpGate::Mode mode, int ms) {
      gate.Set(mode);
      Sleep(ms);
      gate.Set(TcpGate::Mode::kOpen);
    };
    switch (below(14)) {
      case 0:
        ++done["kill -9 of a replica"];
        world.KillReplica(i);
        Sleep(below(100));
        world.StartReplica(i);
        break;
      case 1:
        ++done["kill -9 of PostgreSQL"];
        world.postgres().Kill9();
        Sleep(below(300));
        world.postgres().Start();
        break;
      case 2:
        ++done["kill -9 of Redis"];
        redis.Kill9();
        Sleep(below(300));
        redis.Start();
        break;
      case 3:
        ++done["FLUSHALL"];
        redis.Do({"FLUSHALL"});
        break;
      case 4:
        ++done["delay to PostgreSQL"];
        for_a_while(to_database, TcpGate::Mode::kDelay, 300);
        break;
      case 5:
        ++done["cut from PostgreSQL"];
        to_database.Cut();
        break;
      case 6:
        ++done["half-open to PostgreSQL"];
        for_a_while(to_database, TcpGate::Mode::kHalfOpen, 200 + below(800));
        to_database.Cut();
        break;
      case 7:
        ++done["truncated to PostgreSQL"];
        for_a_while(to_database, TcpGate::Mode::kTruncate, 100);
        break;
      case 8:
        ++done["delay to Redis"];
        for_a_while(to_redis, TcpGate::Mode::kDelay, 300);
        break;
      case 9:
        ++done["cut from Redis"];
        to_redis.Cut();
        break;
      case 10:
        ++done["half-open to Redis"];
        for_a_while(to_redis, TcpGate::Mode::kHalfOpen, 200 + below(800));
        break;
      case 11:
        ++done["truncated to Redis"];
        for_a_while(to_redis, TcpGate::Mode::kTruncate, 100);
        break;
      case 12:
        ++done["corrupted to Redis"];
        for_a_while(to_redis, TcpGate::Mode::kCorrupt, 300);
        to_redis.Cut();
        break;
      default:
        // Longer than a lease of Redis now and then: whoever holds one wakes up without it.
        ++done["a replica frozen, then revived"];
        world.SignalReplica(i, SIGSTOP);
        Sleep(below(20) == 0 ? 11'000 : 200 + below(1'000));
        world.SignalReplica(i, SIGCONT);
    }
    Sleep(20 + below(100));
  }
  Sleep(500);
  world.Stop();
  for (const auto& [name, times] : done) std::printf("  %3d times: %s\n", times, name.c_str());
  std::printf("  %d faults\n", faults);
  world.Verify();
}

TEST(ClusterFaults, FailOversOfSentinels) {
  const int failovers = FromEnvironment("WARMLINE_FAILOVERS", 2);
  RedisSentinels sentinels;
  ASSERT_TRUE(sentinels.runs());
  World world(Seed(7), [&](int) { return sentinels.url(); });
  world.Begin();
  for (int i = 0; i < failovers; ++i) {
    Sleep(300);
    ASSERT_TRUE(sentinels.FailOver()) << i;
  }
  Sleep(500);
  world.Stop();
  std::printf("  %d fail-overs of Sentinels\n", failovers);
  world.Verify();
}

TEST(ClusterFaults, FailOversAndMovedSlotsOfACluster) {
  const int failovers = FromEnvironment("WARMLINE_FAILOVERS", 2);
  RedisCluster cluster;
  ASSERT_TRUE(cluster.runs());
  World world(Seed(9), [&](int) { return cluster.url(); });
  world.Begin();
  for (int i = 0; i < failovers; ++i) {
    Sleep(300);
    // The node that has manifest and feed, and the one that has the bell.
    ASSERT_TRUE(cluster.FailOver(i % 2 == 0 ? "warmline:{p}:manifest" : "warmline:bell")) << i;
    ASSERT_TRUE(cluster.MoveSlotOf(i % 2 == 0 ? "warmline:bell" : "warmline:{p}:manifest")) << i;
  }
  Sleep(500);
  world.Stop();
  std::printf("  %d fail-overs and as many moved slots of a Cluster\n", failovers);
  world.Verify();
}

}  // namespace
}  // namespace warmline::testing
