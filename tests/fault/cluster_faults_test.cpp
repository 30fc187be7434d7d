// Three replicas on PostgreSQL and Redis, all as processes of their own, under writes and matches, while everything
// between and under them fails: nothing that was acknowledged may be missing, and every answer must be what the oracle
// says for the revision that it names. Seeds are printed; WARMLINE_FAULT_SEED replays, WARMLINE_FAULTS says how many
// faults of one server each run has (30 by default), WARMLINE_FAILOVERS how many fail-overs.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <map>
#include <random>

#include "support/fault_world.h"
#include "support/redis_server.h"

namespace warmline::testing {
namespace {

int FromEnvironment(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
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
  FaultWorld world(seed, [&](int i) {
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
  FaultWorld world(Seed(7), [&](int) { return sentinels.url(); });
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
  FaultWorld world(Seed(9), [&](int) { return cluster.url(); });
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
