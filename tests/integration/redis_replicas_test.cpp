// Several replicas with Redis: the feed, snapshots, what stands there of members, and Redis in trouble.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <sstream>
#include <thread>

#include "support/replicas_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;

class RedisReplicas : public Replicas {};
INSTANTIATE_TEST_SUITE_P(Profiles, RedisReplicas, ::testing::Values(true));

TEST_P(RedisReplicas, EachTellsOfItselfAndOfHowFarItsPoolsAre) {
  const auto a = Start();
  const auto b = Start();
  a->CreatePool();
  a->CreatePool("hidden");
  const auto list = [](const TestServer& server) {
    pb::ListReplicasRequest request;
    *request.mutable_actor() = Operator();
    pb::ListReplicasResponse response;
    const auto status = server.pools().ListReplicas(server.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  };
  EXPECT_TRUE(Eventually([&] {
    const auto seen = list(*a);
    return seen.complete() && seen.replicas_size() == 2 && seen.replicas(0).not_ready().empty() &&
           seen.replicas(1).not_ready().empty() && seen.replicas(1).pools_size() == 2 &&
           seen.replicas(1).pools(1).behind() == 0;
  }));
  const auto seen = list(*a);
  ASSERT_EQ(seen.replicas_size(), 2);
  EXPECT_EQ(seen.replicas(1).id(), list(*b).replicas(0).id()) << "each lists itself first";
  EXPECT_NE(seen.replicas(0).id(), seen.replicas(1).id());
  EXPECT_EQ(seen.replicas(1).pools(1).name(), "pools/p");
  b->Stop();
  EXPECT_TRUE(Eventually([&] { return list(*a).replicas_size() == 1; })) << "one that ended is gone from the list";
}

// The store is asked once a minute only: what comes, comes through the feed.
TEST_P(RedisReplicas, TheFeedAloneBringsChanges) {
  const auto a = Start(absl::Minutes(1));
  a->CreatePool();
  a->Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  const auto b = Start(absl::Minutes(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  for (int i = 0; i < 5; ++i) {
    const std::string interest = "skill:news-" + std::to_string(i);
    Update(i % 2 == 0 ? *a : *b, "ingrid", interest);
    const TestServer& other = i % 2 == 0 ? *b : *a;
    EXPECT_TRUE(Eventually([&] { return Names(Match(other, "", interest)).size() == 1; })) << i;
  }
  EXPECT_NE(b->Page("/metrics").find("warmline_changes_followed_total{source=\"feed\"}"), std::string::npos);
}

TEST_P(RedisReplicas, AReplicaStartsFromTheSnapshotOfAnother) {
  const auto a = Start();
  a->CreatePool();
  std::vector<pb::Row> rows = {SeekerRow("amina")};
  for (int i = 0; i < 300; ++i) rows.push_back(HelperRow("h" + std::to_string(i), {"skill:sql"}));
  const auto imported = a->Import(rows);
  EXPECT_TRUE(Eventually([&] { return SharedRedis().Do({"HGET", prefix_ + ":{p}:manifest", "members"}) == "301"; }));
  Update(*a, "h7", "skill:later");  // after the snapshot, perhaps
  const auto b = Start();
  EXPECT_NE(b->Page("/metrics").find("warmline_snapshot_loads_total{cache=\"redis\",result=\"found\"} 1"),
            std::string::npos);
  EXPECT_EQ(Match(*a, "").SerializeAsString(), Match(*b, "").SerializeAsString());
  EXPECT_EQ(Names(Match(*b, "", "skill:later")), std::vector<std::string>{"pools/p/members/h7"});
}

// Another service reads a pool's postings by docs/redis.md alone.
TEST_P(RedisReplicas, AnotherServiceReadsThePostings) {
  const auto a = Start();
  a->CreatePool();
  std::vector<pb::Row> rows = {SeekerRow("amina")};
  for (int i = 0; i < 400; ++i)
    rows.push_back(HelperRow("h" + std::to_string(i), {i % 4 == 0 ? "skill:sql" : "skill:python"}));
  a->Import(rows);
  Update(*a, "h0", "skill:python");  // its document dies
  const auto count = [&] {
    const std::string command = "python3 " + std::string(std::getenv("WARMLINE_SOURCE")) +
                                "/tests/e2e/read_postings.py " + std::to_string(SharedRedis().port()) +
                                " p skill:sql " + prefix_ + " 2>&1";
    std::string output(100, '\0');
    FILE* pipe = popen(command.c_str(), "r");
    output.resize(fread(output.data(), 1, output.size(), pipe));
    pclose(pipe);
    return output;
  };
  EXPECT_TRUE(Eventually([&] { return SharedRedis().Do({"EXISTS", prefix_ + ":{p}:manifest"}) == "1"; }));
  EXPECT_TRUE(Eventually([&] { return count() == "99\n"; })) << count();
}

TEST_P(RedisReplicas, OfAnErasedMemberNothingStaysInRedis) {
  const auto a = Start();
  a->CreatePool();
  a->Import({SeekerRow("amina"), HelperRow("unmistakable-id-4711", {"skill:sql"})});
  const auto dump = [&] {
    std::string all;
    std::istringstream keys(SharedRedis().Do({"KEYS", prefix_ + ":*"}));
    for (std::string key; std::getline(keys, key);)
      all += SharedRedis().Do({"GET", key}) + SharedRedis().Do({"XRANGE", key, "-", "+"});
    return all;
  };
  const auto holds = [&] { return dump().find("unmistakable-id-4711") != std::string::npos; };
  ASSERT_TRUE(Eventually(holds));
  pb::EraseMemberRequest request;
  *request.mutable_actor() = Operator();
  request.set_name("pools/p/members/unmistakable-id-4711");
  pb::Erasure erasure;
  ASSERT_TRUE(a->members().EraseMember(a->Context().get(), request, &erasure).ok());
  EXPECT_TRUE(Eventually([&] { return !holds(); }));
}

TEST_P(RedisReplicas, TheBellsRevisionTellsOfAnEntryThatWasLost) {
  // `a` knows no Redis, so nothing is told of what it writes; `b` asks the store by itself when it starts, and never
  // again.
  TestServer a([&](server::Config& config) { config.postgres = database_; });
  a.CreatePool();
  a.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  RedisServer redis;
  TestServer b([&](server::Config& config) {
    config.postgres = database_;
    config.redis = redis.url();
    config.poll_interval = absl::Hours(1);
  });
  // The poll of the start is over; it would find what is written next.
  ASSERT_TRUE(Eventually([&] { return b.Page("/metrics").find("\nwarmline_store_reachable 1") != std::string::npos; }));
  ASSERT_EQ(Names(Match(b, "")).size(), 1U);
  Update(a, "ingrid", "skill:welding");
  pb::GetMemberRequest get;
  *get.mutable_actor() = Operator();
  get.set_name("pools/p/members/ingrid");
  pb::Member written;
  ASSERT_TRUE(a.members().GetMember(a.Context().get(), get, &written).ok());
  const std::string revision = written.etag().substr(1);
  EXPECT_TRUE(Names(Match(b, "", "skill:welding")).empty());
  EXPECT_TRUE(Eventually([&] {
    redis.Do({"XADD", "warmline:bell", "*", "pool", "p", "writer", "a", "revision", revision});
    return Names(Match(b, "", "skill:welding")).size() == 1;
  }));
}

TEST_P(RedisReplicas, WithRedisGoneFlushedOrFilledCallsGoOn) {
  RedisServer redis;
  const auto start = [&] {
    return std::make_unique<TestServer>([&](server::Config& config) {
      config.postgres = database_;
      config.redis = redis.url();
      config.poll_interval = absl::Milliseconds(100);
      config.snapshot_interval = absl::Milliseconds(200);
    });
  };
  const auto a = start();
  const auto b = start();
  a->CreatePool();
  Match(*b, a->Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})}).revision());
  int round = 0;
  const auto works = [&](const char* what) {
    SCOPED_TRACE(what);
    const std::string interest = "skill:round-" + std::to_string(++round);
    EXPECT_EQ(Names(Match(*b, Update(*a, "ingrid", interest), interest)).size(), 1U);
  };
  const auto says = [](const TestServer& server, const std::string& line) {
    return server.Page("/metrics").find(line) != std::string::npos;
  };
  works("at first");
  redis.Kill9();
  works("gone");
  EXPECT_TRUE(Eventually([&] { return says(*b, "warmline_redis_reachable{use=\"feed_subscriber\"} 0"); }));
  EXPECT_EQ(b->Page("/readyz"), "ok\n");
  redis.Start();
  works("back, and empty");
  EXPECT_TRUE(Eventually([&] { return says(*b, "warmline_redis_reachable{use=\"feed_subscriber\"} 1"); }));
  redis.Do({"FLUSHALL"});
  works("flushed");
  redis.Do({"CONFIG", "SET", "maxmemory", "500kb"});
  works("full");
  redis.Do({"CONFIG", "SET", "maxmemory", "0"});
  redis.Signal(SIGSTOP);
  works("frozen");
  redis.Signal(SIGCONT);
  redis.Do({"SET", "warmline:{p}:manifest", "something else"});
  redis.Do({"DEL", "warmline:bell"});
  redis.Do({"SET", "warmline:bell", "something else"});
  works("wrong types");
  const auto c = start();
  // A replica that starts may count statistics anew, which the other then has a moment later.
  EXPECT_TRUE(Eventually([&] { return Match(*a, "").SerializeAsString() == Match(*c, "").SerializeAsString(); }));
}

}  // namespace
}  // namespace warmline::testing
