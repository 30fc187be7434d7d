// Several replicas on one PostgreSQL: what one acknowledges, the others answer by, exactly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <sstream>
#include <thread>

#include "domain/revision.h"
#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;

// With Redis, or with the change log alone.
class Replicas : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<TestServer> Start(absl::Duration poll = absl::Milliseconds(100)) {
    return std::make_unique<TestServer>([this, poll](server::Config& config) {
      config.postgres = database_;
      config.poll_interval = poll;
      config.snapshot_interval = absl::Milliseconds(300);
      if (GetParam()) UseSharedRedis(config, prefix_);
    });
  }
  static pb::MatchResponse Match(const TestServer& server, const std::string& revision,
                                 const std::string& interest = "skill:sql", const std::string& pool = "p") {
    pb::MatchRequest request;
    *request.mutable_actor() = Operator();
    request.set_parent("pools/" + pool);
    request.set_min_revision(revision);
    *request.mutable_inline_need() = NeedOf("amina", {interest});
    if (pool != "p") request.mutable_inline_need()->set_seeker("pools/" + pool + "/members/amina");
    pb::MatchResponse response;
    const auto status = server.matches().Match(server.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message() << " " << ReasonOf(status);
    return response;
  }
  static std::vector<std::string> Names(const pb::MatchResponse& response) {
    std::vector<std::string> names;
    for (const auto& match : response.matches()) names.push_back(match.helper());
    return names;
  }
  static std::string Update(const TestServer& server, const std::string& id, const std::string& interest) {
    pb::UpdateMemberRequest request;
    *request.mutable_actor() = Operator();
    request.mutable_member()->set_name("pools/p/members/" + id);
    request.mutable_member()->add_interests()->set_interest(interest);
    request.add_update_mask("interests");
    pb::WriteMemberResponse response;
    const auto status = server.members().UpdateMember(server.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.revision();
  }

  static std::int64_t MembersOf(const TestServer& server) {
    pb::GetIndexStateRequest request;
    *request.mutable_actor() = Operator();
    request.set_name("pools/p");
    pb::IndexState state;
    (void)server.pools().GetIndexState(server.Context().get(), request, &state);
    return state.members();
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 500; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  const std::string database_ = NewClusterDatabase();
  const std::string prefix_ = FreshId();
};

INSTANTIATE_TEST_SUITE_P(Profiles, Replicas, ::testing::Bool(),
                         [](const auto& info) { return std::string(info.param ? "Redis" : "LogAlone"); });

class RedisReplicas : public Replicas {};
INSTANTIATE_TEST_SUITE_P(Profiles, RedisReplicas, ::testing::Values(true));

TEST_P(Replicas, AWriteOnOneIsReadOnAnother) {
  const auto a = Start();
  const auto b = Start();
  a->CreatePool();
  const auto imported = a->Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  EXPECT_EQ(Names(Match(*b, imported.revision())), std::vector<std::string>{"pools/p/members/ingrid"});
  // Back and forth: each sees what the other wrote a moment ago.
  for (int i = 0; i < 10; ++i) {
    const TestServer& writer = i % 2 == 0 ? *b : *a;
    const TestServer& reader = i % 2 == 0 ? *a : *b;
    const std::string interest = "skill:round-" + std::to_string(i);
    const std::string revision = Update(writer, "ingrid", interest);
    EXPECT_EQ(Names(Match(reader, revision, interest)), std::vector<std::string>{"pools/p/members/ingrid"});
    EXPECT_TRUE(Names(Match(writer, revision, "skill:sql")).empty());
  }
  EXPECT_EQ(Match(*a, "").SerializeAsString(), Match(*b, "").SerializeAsString());
}

TEST_P(Replicas, WritesOfBothAtOnceAreAllKeptAndBothAnswerAlike) {
  const auto a = Start();
  const auto b = Start();
  const std::string created = a->CreatePool();
  Match(*b, a->Import({SeekerRow("amina")}).revision());
  constexpr int kEach = 60;
  const auto write = [&](TestServer& server, const std::string& name) {
    for (int i = 0; i < kEach; ++i) {
      pb::CreateMemberRequest request;
      *request.mutable_actor() = Operator();
      request.set_parent("pools/p");
      request.set_request_id(FreshId());
      *request.mutable_member() = HelperRow("", {"skill:sql"}).member();
      request.set_member_id(name + std::to_string(i));
      pb::WriteMemberResponse response;
      const auto status = server.members().CreateMember(server.Context().get(), request, &response);
      ASSERT_TRUE(status.ok()) << status.error_message();
      // Read your writes, without a token: the index followed before the answer came.
      pb::ExplainRequest explain;
      *explain.mutable_actor() = Operator();
      explain.set_parent("pools/p");
      *explain.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
      explain.set_helper("pools/p/members/" + name + std::to_string(i));
      pb::ExplainResponse explained;
      ASSERT_TRUE(server.matches().Explain(server.Context().get(), explain, &explained).ok());
    }
  };
  std::thread other([&] { write(*b, "b"); });
  write(*a, "a");
  other.join();
  for (const TestServer* server : {a.get(), b.get()})
    EXPECT_TRUE(Eventually([&] { return MembersOf(*server) == 2 * kEach + 1; })) << MembersOf(*server);
}

TEST_P(Replicas, ErasureReachesTheOthersThoughTheLogDoesNotNameTheMember) {
  const auto a = Start();
  const auto b = Start();
  a->CreatePool();
  const auto imported = a->Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"}),
                                   HelperRow("joost", {"skill:sql"}), TieRow("amina", "ingrid")});
  EXPECT_EQ(Names(Match(*b, imported.revision())).size(), 2U);
  pb::EraseMemberRequest request;
  *request.mutable_actor() = Operator();
  request.set_name("pools/p/members/ingrid");
  pb::Erasure erasure;
  ASSERT_TRUE(a->members().EraseMember(a->Context().get(), request, &erasure).ok());
  EXPECT_EQ(Names(Match(*b, erasure.revision())), std::vector<std::string>{"pools/p/members/joost"});
  // A replica that was away meanwhile reads a log without the erased payloads.
  const auto c = Start();
  EXPECT_EQ(Names(Match(*c, erasure.revision())), std::vector<std::string>{"pools/p/members/joost"});
}

TEST_P(Replicas, SynonymsThatChangeRebuildEveryIndex) {
  const auto a = Start();
  const auto b = Start();
  a->CreatePool();
  Match(*b, a->Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:structured query language"})}).revision());
  pb::UpdatePoolRequest request;
  *request.mutable_actor() = Operator();
  request.mutable_pool()->set_name("pools/p");
  auto* synonym = request.mutable_pool()->mutable_policy()->add_synonyms();
  synonym->set_alias("skill:structured query language");
  synonym->set_canonical("skill:sql");
  request.add_update_mask("policy");
  pb::WritePoolResponse response;
  const auto status = b->pools().UpdatePool(b->Context().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(Names(Match(*b, response.revision())), std::vector<std::string>{"pools/p/members/ingrid"});
  EXPECT_EQ(Names(Match(*a, response.revision())), std::vector<std::string>{"pools/p/members/ingrid"});
}

TEST_P(Replicas, ARetryOnAnotherReplicaGetsTheSameReply) {
  const auto a = Start();
  const auto b = Start();
  Match(*b, [&] {
    a->CreatePool();
    return a->Import({SeekerRow("amina")}).revision();
  }());
  pb::CreateMemberRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_request_id("retry-on-another");
  *request.mutable_member() = SeekerRow("").member();
  request.set_member_id("once");
  pb::WriteMemberResponse first;
  pb::WriteMemberResponse second;
  ASSERT_TRUE(a->members().CreateMember(a->Context().get(), request, &first).ok());
  ASSERT_TRUE(b->members().CreateMember(b->Context().get(), request, &second).ok());
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
}

TEST_P(Replicas, ARevisionThatDoesNotComeIsSaidSoWithWhenToTryAgain) {
  const auto a = Start();
  const auto created = domain::ParseRevisionToken(a->CreatePool());
  ASSERT_TRUE(created.has_value());
  a->Import({SeekerRow("amina")});
  pb::MatchRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_min_revision(domain::RevisionToken({created->history, 1'000'000}));
  request.mutable_min_revision_wait()->set_nanos(50'000'000);
  *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
  pb::MatchResponse response;
  const auto status = a->matches().Match(a->Context().get(), request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "REVISION_NOT_REACHED");
  EXPECT_TRUE(HasRetryInfo(status));
}

TEST_P(Replicas, WithTheDatabaseAwayMatchesGoOnAndWritesAreRefused) {
  PostgresServer postgres;
  TestServer server([&](server::Config& config) {
    config.postgres = postgres.ConnInfo(postgres.NewDatabase());
    config.poll_interval = absl::Milliseconds(50);
    config.max_staleness = absl::Seconds(2);
  });
  server.CreatePool();
  const auto imported = server.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  postgres.Kill9();
  EXPECT_EQ(Names(Match(server, imported.revision())).size(), 1U);
  pb::UpdateMemberRequest request;
  *request.mutable_actor() = Operator();
  request.mutable_member()->set_name("pools/p/members/ingrid");
  request.mutable_member()->set_display_name("Ingrid V.");
  request.add_update_mask("display_name");
  pb::WriteMemberResponse response;
  const auto refused = server.members().UpdateMember(server.Context().get(), request, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refused), "STORE_UNAVAILABLE");
  EXPECT_TRUE(HasRetryInfo(refused));
  EXPECT_EQ(server.Page("/readyz"), "ok\n");
  const auto degraded = [&] { return server.Page("/metrics").find("warmline_store_reachable 0") != std::string::npos; };
  for (int i = 0; i < 100 && !degraded(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(degraded());
  // After max_staleness nobody is matched any longer, and no new call should come here.
  for (int i = 0; i < 100 && server.Page("/readyz") == "ok\n"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_THAT(server.Page("/readyz"), HasSubstr("has not seen the store"));
  pb::MatchRequest match;
  *match.mutable_actor() = Operator();
  match.set_parent("pools/p");
  *match.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
  pb::MatchResponse stale;
  EXPECT_EQ(ReasonOf(server.matches().Match(server.Context().get(), match, &stale)), "REPLICA_STALE");
  // Back again: everything goes on by itself.
  postgres.Start();
  for (int i = 0; i < 200 && server.Page("/readyz") != "ok\n"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  Match(server, "");
  const auto kept = server.members().UpdateMember(server.Context().get(), request, &response);
  EXPECT_TRUE(kept.ok()) << kept.error_message();
}

// The store is asked once a minute only: what comes, comes through the feed.
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
  EXPECT_EQ(seen.replicas(0).id(), list(*a).replicas(0).id()) << "this one comes first";
  EXPECT_NE(seen.replicas(0).id(), seen.replicas(1).id());
  EXPECT_EQ(seen.replicas(1).pools(1).name(), "pools/p");
  // Redis away: what is known is said not to be all.
  b->Stop();
  EXPECT_TRUE(Eventually([&] { return list(*a).replicas_size() == 1; })) << "one that ended is gone from the list";
}

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
  // `a` knows no Redis, so nothing is told of what it writes; `b` never asks the store by itself.
  TestServer a([&](server::Config& config) { config.postgres = database_; });
  a.CreatePool();
  a.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  RedisServer redis;
  TestServer b([&](server::Config& config) {
    config.postgres = database_;
    config.redis = redis.url();
    config.poll_interval = absl::Hours(1);
  });
  ASSERT_EQ(Names(Match(b, "")).size(), 1U);
  const auto written = domain::ParseRevisionToken(Update(a, "ingrid", "skill:welding"));
  ASSERT_TRUE(written.has_value());
  EXPECT_TRUE(Names(Match(b, "", "skill:welding")).empty());
  EXPECT_TRUE(Eventually([&] {
    redis.Do({"XADD", "warmline:bell", "*", "pool", "p", "writer", "a", "revision", std::to_string(written->number)});
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
  EXPECT_EQ(Match(*a, "").SerializeAsString(), Match(*c, "").SerializeAsString());
}

}  // namespace
}  // namespace warmline::testing
