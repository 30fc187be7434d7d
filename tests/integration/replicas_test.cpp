// Several replicas on one PostgreSQL: what one acknowledges, the others answer by, exactly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <sstream>
#include <thread>

#include "support/replicas_fixture.h"
#include "support/tcp_gate.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Profiles, Replicas, ::testing::Bool(),
                         [](const auto& info) { return std::string(info.param ? "Redis" : "LogAlone"); });

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
  PostgresServer postgres;
  const std::string database = postgres.NewDatabase();
  TestServer a([&](server::Config& config) { config.postgres = postgres.ConnInfo(database); });
  a.CreatePool();
  const auto imported = a.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  TcpGate gate(postgres.port(), 1);
  TestServer behind([&](server::Config& config) {
    config.postgres = postgres.ConnInfo(database, gate.port());
    config.poll_interval = absl::Milliseconds(100);
  });
  EXPECT_EQ(Names(Match(behind, imported.revision())).size(), 1U);
  // It cannot ask the store whether the revision is there: it waits, and says so.
  gate.Set(TcpGate::Mode::kClosed);
  gate.Cut();
  pb::MatchRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_min_revision(Update(a, "ingrid", "skill:welding"));
  request.mutable_min_revision_wait()->set_nanos(50'000'000);
  *request.mutable_inline_need() = NeedOf("amina", {"skill:welding"});
  pb::MatchResponse response;
  const auto status = behind.matches().Match(behind.Context().get(), request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "REVISION_NOT_REACHED");
  EXPECT_TRUE(HasRetryInfo(status));
  gate.Set(TcpGate::Mode::kOpen);
  EXPECT_TRUE(Eventually([&] {
    return behind.matches().Match(behind.Context().get(), request, &response).ok() && response.matches_size() == 1;
  }));
  // A store that lost what it had told of says at once that it is not there.
  // More than a restart writes by itself: it may count statistics anew.
  constexpr int kLost = 8;
  std::string lost;
  for (int i = 0; i < kLost; ++i) lost = Update(a, "ingrid", "skill:dancing-" + std::to_string(i));
  EXPECT_EQ(Names(Match(behind, lost, "skill:dancing-" + std::to_string(kLost - 1))).size(), 1U);
  a.Stop();
  behind.Stop();
  ASSERT_TRUE(postgres.Run(database,
                           "DELETE FROM change_log WHERE revision > (SELECT max(revision) FROM change_log) - 8; "
                           "UPDATE pool SET head = head - 8"));
  behind.Restart();
  request.set_min_revision(lost);
  request.mutable_min_revision_wait()->set_seconds(30);
  EXPECT_EQ(ReasonOf(behind.matches().Match(behind.Context().get(), request, &response)),
            "REVISION_OF_ANOTHER_HISTORY");
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

}  // namespace
}  // namespace warmline::testing
