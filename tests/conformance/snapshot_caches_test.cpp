#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "cache/file/snapshot_files.h"
#include "cache/redis/block.h"
#include "cache/redis/snapshots.h"
#include "conformance/snapshot_cache_suite.h"
#include "support/random_world.h"
#include "support/redis_server.h"

namespace warmline::testing {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream input(path, std::ios::binary);
  std::stringstream bytes;
  bytes << input.rdbuf();
  return bytes.str();
}

bool DamageFile(const std::string& directory, int how) {
  const std::string path = directory + "/p.snapshot";
  std::string bytes = ReadFile(path);
  if (bytes.empty()) return false;
  if (how == 0) bytes.resize(bytes.size() / 2);
  if (how == 1) bytes[bytes.size() / 2] ^= 1;
  if (how == 2) return std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  return true;
}

// One server for all; each test has keys of its own.
RedisServer& Redis() {
  static RedisServer server;
  return server;
}
RedisCluster& Cluster() {
  static RedisCluster cluster;
  return cluster;
}
std::string PrefixOf(const std::string& directory) { return std::filesystem::path(directory).filename(); }

std::unique_ptr<application::SnapshotCache> OpenRedis(const std::string& url, const std::string& directory,
                                                      const application::Clock& clock, application::Metrics& metrics) {
  auto config = cache::redis::ParseUrl(url);
  EXPECT_TRUE(config.ok()) << config.status();
  config->prefix = PrefixOf(directory);
  return std::make_unique<cache::redis::Snapshots>(*config, clock, metrics);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream input(text);
  for (std::string line; std::getline(input, line);) lines.push_back(line);
  return lines;
}

using Servers = std::vector<RedisServer*>;

bool DamageRedis(const Servers& servers, const std::string& directory, int how) {
  const std::string prefix = PrefixOf(directory);
  bool done = false;
  std::string pieces;  // of the manifest, on the server that has it
  for (RedisServer* server : servers) {
    if (how == 2) done = server->Do({"FLUSHALL"}) == "OK" || done;
    const std::string field = server->Do({"HGET", prefix + ":{p}:manifest", "pieces"});
    if (!field.empty() && field[0] != '-' && field[0] != '(') pieces = field;
  }
  for (RedisServer* server : servers) {
    for (const std::string& line : Lines(pieces)) {
      const std::string key = prefix + ":block:p:" + line.substr(line.rfind(' ') + 1);
      std::string bytes = server->Do({"GET", key});
      if (bytes.size() < 6 || bytes[0] == '-' || bytes[0] == '(' || done) continue;
      if (how == 0) {
        done = server->Do({"DEL", key}) == "1";
      } else {
        bytes.back() ^= 1;
        done = server->Do({"SET", key, bytes}) == "OK";
      }
    }
  }
  return done;
}

std::string DumpRedis(const Servers& servers, const std::string& directory) {
  std::string all;
  for (RedisServer* server : servers) {
    for (const std::string& key : Lines(server->Do({"KEYS", PrefixOf(directory) + ":*"}))) {
      const std::string block = server->Do({"GET", key});
      all += key + "\n" + block + "\n" + server->Do({"HGETALL", key});
      if (auto plain = cache::redis::UnpackBlock(block, 1); plain.ok()) all += *plain;
      for (std::size_t size = 1; size < (std::size_t{1} << 22) && !block.empty() && block[0] == 1; ++size) {
        // The size of a packed block stands in the manifest only: it is found by trying.
        if (auto unpacked = cache::redis::UnpackBlock(block, size); unpacked.ok()) {
          all += *unpacked;
          break;
        }
      }
    }
  }
  return all;
}

Servers ClusterServers() {
  Servers servers;
  for (const auto& server : Cluster().servers()) {
    if (server->Do({"ROLE"}).rfind("master", 0) == 0) servers.push_back(server.get());
  }
  return servers;
}

INSTANTIATE_TEST_SUITE_P(
    Caches, SnapshotCacheSuite,
    ::testing::Values(
        CacheFactory{"file",
                     [](const std::string& directory, const application::Clock& clock, application::Metrics& metrics) {
                       return std::make_unique<cache::file::SnapshotFiles>(directory, clock, metrics);
                     },
                     DamageFile, [](const std::string& directory) { return ReadFile(directory + "/p.snapshot"); }},
        CacheFactory{"redis",
                     [](const std::string& directory, const application::Clock& clock, application::Metrics& metrics) {
                       return OpenRedis(Redis().url(), directory, clock, metrics);
                     },
                     [](const std::string& directory, int how) { return DamageRedis({&Redis()}, directory, how); },
                     [](const std::string& directory) { return DumpRedis({&Redis()}, directory); }},
        CacheFactory{
            "redis_cluster",
            [](const std::string& directory, const application::Clock& clock, application::Metrics& metrics) {
              EXPECT_TRUE(Cluster().runs());
              return OpenRedis(Cluster().url(), directory, clock, metrics);
            },
            [](const std::string& directory, int how) { return DamageRedis(ClusterServers(), directory, how); },
            [](const std::string& directory) { return DumpRedis(ClusterServers(), directory); }}),
    [](const auto& info) { return info.param.name; });

std::unique_ptr<index::PoolIndex> SmallIndex(std::int64_t revision, std::uint64_t seed = 3) {
  RandomWorld random(seed);
  domain::Pool pool;
  pool.id = "p";
  auto index = std::make_unique<index::PoolIndex>(pool, RandomWorld::kEpochHour);
  index::PoolIndex::Loader loader(*index);
  for (int i = 0; i < 20; ++i) loader.Add(random.Member("m" + std::to_string(i)));
  loader.Finish(revision);
  return index;
}

class RedisSnapshots : public ::testing::Test {
 protected:
  RedisSnapshots() {
    config_ = *cache::redis::ParseUrl(Redis().url());
    config_.prefix = PrefixOf(TemporaryDirectory("redis-snapshots"));
  }
  application::SystemClock clock_;
  telemetry::PrometheusMetrics metrics_{"test"};
  cache::redis::Config config_;
};

// A writer that slept through the end of its lease cannot put an older state, or any, in place of its follower's.
TEST_F(RedisSnapshots, AWriterWhoseLeaseIsLostIsFencedOff) {
  const cache::redis::SnapshotsOptions brief{
      .time_to_live = absl::Hours(1), .grace = absl::Minutes(1), .lease = absl::Milliseconds(100)};
  cache::redis::Snapshots frozen(config_, clock_, metrics_, brief);
  cache::redis::Snapshots other(config_, clock_, metrics_, brief);
  const auto older = SmallIndex(5);
  const auto newer = SmallIndex(6);
  ASSERT_TRUE(frozen.MayWrite("p"));
  EXPECT_FALSE(other.MayWrite("p"));
  std::this_thread::sleep_for(std::chrono::milliseconds(150));  // frozen
  ASSERT_TRUE(other.MayWrite("p"));
  ASSERT_TRUE(other.Save("p", 1, index::SnapshotSource(*older), false).ok());
  const auto late = frozen.Save("p", 1, index::SnapshotSource(*newer), false);
  EXPECT_THAT(std::string(late.message()), ::testing::HasSubstr("LEASE_LOST"));
  EXPECT_EQ((**other.Newest("p", 1)).revision, 5);
  EXPECT_FALSE(frozen.MayWrite("p"));
  EXPECT_FALSE(frozen.Save("p", 1, index::SnapshotSource(*newer), false).ok());
}

TEST_F(RedisSnapshots, AUserOfAnAclComesThroughAUnixSocket) {
  RedisServer server;
  ASSERT_EQ(server.Do({"ACL", "SETUSER", "warm", "on", ">s3:cret/", "~warmline:*", "+@all"}), "OK");
  ASSERT_EQ(server.Do({"ACL", "SETUSER", "default", "off"}), "OK");
  const auto index = SmallIndex(5);
  const auto save = [&](const std::string& credentials) {
    cache::redis::Snapshots cache(*cache::redis::ParseUrl("unix://" + credentials + server.socket()), clock_, metrics_);
    if (!cache.MayWrite("p")) return absl::PermissionDeniedError("no lease");
    return cache.Save("p", 1, index::SnapshotSource(*index), false);
  };
  EXPECT_TRUE(save("warm:s3%3Acret%2F@").ok());
  EXPECT_FALSE(save("warm:wrong@").ok());
  EXPECT_FALSE(save("").ok());
}

TEST_F(RedisSnapshots, UnchangedBlocksAreNotSentAgain) {
  cache::redis::Snapshots cache(config_, clock_, metrics_);
  ASSERT_TRUE(cache.MayWrite("p"));
  const auto first = SmallIndex(5);
  ASSERT_TRUE(cache.Save("p", 1, index::SnapshotSource(*first), false).ok());
  const auto sent = [&] {
    const std::string text = metrics_.Text();
    const std::string name = "\nwarmline_snapshot_sent_bytes_total ";
    return std::stod(text.substr(text.find(name) + name.size()));
  };
  const double before = sent();
  const auto same = SmallIndex(6);
  ASSERT_TRUE(cache.Save("p", 1, index::SnapshotSource(*same), false).ok());
  EXPECT_EQ(sent(), before);
}

TEST_F(RedisSnapshots, AFullServerIsAnErrorAndTheOldSnapshotStays) {
  RedisServer small({"--maxmemory-policy", "noeviction"});
  config_.addresses = {{"127.0.0.1", small.port()}};
  cache::redis::Snapshots cache(config_, clock_, metrics_);
  ASSERT_TRUE(cache.MayWrite("p"));
  const auto first = SmallIndex(5);
  ASSERT_TRUE(cache.Save("p", 1, index::SnapshotSource(*first), false).ok());
  ASSERT_EQ(small.Do({"CONFIG", "SET", "maxmemory", "500kb"}), "OK");  // less than an empty server takes
  const auto second = SmallIndex(6, 4);
  const auto full = cache.Save("p", 1, index::SnapshotSource(*second), false);
  EXPECT_FALSE(full.ok());
  EXPECT_THAT(std::string(full.message()), ::testing::HasSubstr("OOM"));
  EXPECT_EQ((**cache.Newest("p", 1)).revision, 5);
}

}  // namespace
}  // namespace warmline::testing
