#include <gmock/gmock.h>

#include <map>
#include <thread>

#include "conformance/record_store_suite.h"
#include "domain/error.h"
#include "storage/postgres/schema.h"
#include "storage/postgres/store.h"
#include "support/postgres_server.h"

namespace warmline::testing {
namespace {

using storage::postgres::Store;
using storage::postgres::StoreOptions;

PostgresServer& Server() {
  static PostgresServer server;
  return server;
}

StoreOptions OptionsFor(const std::string& database) {
  StoreOptions options;
  options.connection.conninfo = Server().ConnInfo(database);
  return options;
}

std::unique_ptr<Store> OpenDatabase(const std::string& database) {
  EXPECT_TRUE(Server().runs()) << Server().why();
  auto store = Store::Open(OptionsFor(database));
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

std::unique_ptr<application::RecordStore> OpenPostgres(const std::string& directory) {
  static std::map<std::string, std::string> databases;
  std::string& database = databases[directory];
  if (database.empty()) database = Server().NewDatabase();
  return OpenDatabase(database);
}

INSTANTIATE_TEST_SUITE_P(Postgres, RecordStoreSuite, ::testing::Values(StoreFactory{"postgres", OpenPostgres}),
                         [](const auto& info) { return info.param.name; });

domain::Member MadeMember(const std::string& id) {
  domain::Member member;
  member.id = id;
  member.kind = domain::MemberKind::kPerson;
  return member;
}

void MakePool(Store& store) {
  auto tx = store.Begin();
  ASSERT_TRUE(tx.ok()) << tx.status();
  domain::Pool pool;
  pool.id = "p";
  ASSERT_TRUE((*tx)->Put(pool).ok());
  ASSERT_TRUE((*tx)->Commit().ok());
}

// Two processes write to one pool: every revision is given once, in order, without a gap.
TEST(PostgresStore, WritersOfSeveralProcessesTakeTurns) {
  const std::string database = Server().NewDatabase();
  const auto a = OpenDatabase(database);
  const auto b = OpenDatabase(database);
  MakePool(*a);
  constexpr int kWrites = 100;
  const auto write = [](Store& store, const std::string& name) {
    for (int i = 0; i < kWrites; ++i) {
      auto tx = store.Begin({.pools = {"p"}, .reads = {}});
      ASSERT_TRUE(tx.ok()) << tx.status();
      domain::Member member = MadeMember(name + std::to_string(i));
      ASSERT_TRUE((*tx)->Put("p", member).ok());
      ASSERT_TRUE((*tx)->Commit().ok());
    }
  };
  std::thread other([&] { write(*b, "b"); });
  write(*a, "a");
  other.join();
  auto reader = a->Read();
  const auto log = (*reader)->ListChanges("p", 0, 1'000);
  ASSERT_EQ(log->size(), 2U * kWrites + 1);
  for (std::size_t i = 0; i < log->size(); ++i) EXPECT_EQ((*log)[i].revision, static_cast<std::int64_t>(i) + 1);
  EXPECT_EQ(*(*reader)->HeadRevision("p"), 2 * kWrites + 1);
}

TEST(PostgresStore, APoolIsMadeByOneProcessOnly) {
  const std::string database = Server().NewDatabase();
  const auto a = OpenDatabase(database);
  const auto b = OpenDatabase(database);
  auto first = a->Begin();
  domain::Pool pool;
  pool.id = "p";
  ASSERT_TRUE((*first)->Put(pool).ok());
  std::thread commit([&] {
    absl::SleepFor(absl::Milliseconds(100));
    ASSERT_TRUE((*first)->Commit().ok());
  });
  auto second = b->Begin();
  ASSERT_TRUE((*second)->BeginItem().ok());
  domain::Pool same;
  same.id = "p";
  EXPECT_EQ(domain::ReasonOf((*second)->Put(same).status()), domain::ErrorReason::kPoolExists);
  ASSERT_TRUE((*second)->RollbackItem().ok());
  commit.join();
  domain::Member member = MadeMember("m");
  EXPECT_EQ(*(*second)->Put("p", member), 2);  // the transaction goes on
  EXPECT_TRUE((*second)->Commit().ok());
}

// What was read ahead, what was written and not sent, and what is in the database give one picture.
TEST(PostgresStore, HintsChangeNothingButTheSpeed) {
  const std::string database = Server().NewDatabase();
  const auto store = OpenDatabase(database);
  MakePool(*store);
  using Key = application::RecordKey;
  const std::vector<Key> reads = {{Key::Kind::kMember, "p", "m", ""},          {Key::Kind::kMember, "p", "n", ""},
                                  {Key::Kind::kReply, "p", "request-1", ""},   {Key::Kind::kConnection, "p", "m", "n"},
                                  {Key::Kind::kConnectionCount, "p", "m", ""}, {Key::Kind::kBlock, "p", "m", "n"},
                                  {Key::Kind::kBlockCount, "p", "m", ""},      {Key::Kind::kNeed, "p", "x", ""},
                                  {Key::Kind::kOpenNeedCount, "p", "m", ""}};
  for (int round = 0; round < 3; ++round) {
    auto tx = store->Begin({.pools = {"p"}, .reads = round == 1 ? std::vector<Key>() : reads});
    ASSERT_TRUE(tx.ok()) << tx.status();
    const bool first = round == 0;
    EXPECT_EQ((*tx)->GetMember("p", "m")->has_value(), !first);
    EXPECT_FALSE((*tx)->GetMember("p", "n")->has_value());
    EXPECT_EQ((*tx)->GetReply("p", "request-1")->has_value(), !first);
    EXPECT_EQ((*tx)->GetConnection("p", "m", "n")->has_value(), !first);
    EXPECT_EQ((*tx)->GetBlock("p", "m", "n")->has_value(), !first);
    EXPECT_EQ((*tx)->GetNeed("p", "x")->has_value(), !first);
    EXPECT_EQ(*(*tx)->CountConnectionsOf("p", "m"), first ? 0 : 1);
    EXPECT_EQ(*(*tx)->CountBlocksOf("p", "m"), first ? 0 : 1);
    EXPECT_EQ(*(*tx)->CountOpenNeedsOf("p", "m"), first ? 0 : 1);
    if (!first) continue;
    domain::Member m = MadeMember("m");
    domain::Connection tie{"m", "n", 0.5, domain::ConnectionState::kConfirmed, "", 0};
    domain::Need need;
    need.id = "x";
    need.seeker = "m";
    need.interests = {{}};
    ASSERT_TRUE((*tx)->Put("p", m).ok());
    ASSERT_TRUE((*tx)->Put("p", tie).ok());
    ASSERT_TRUE((*tx)->Put("p", domain::Block{"m", "n"}).ok());
    ASSERT_TRUE((*tx)->Put("p", need).ok());
    ASSERT_TRUE((*tx)->PutReply("p", "request-1", "m", {7, "reply"}, absl::Now()).ok());
    ASSERT_TRUE((*tx)->BeginItem().ok());  // undone below: the counts go back too
    domain::Connection other{"a", "m", 0.5, domain::ConnectionState::kConfirmed, "", 0};
    ASSERT_FALSE((*tx)->GetConnection("p", "a", "m")->has_value());
    ASSERT_TRUE((*tx)->Put("p", other).ok());
    EXPECT_EQ(*(*tx)->CountConnectionsOf("p", "m"), 2);
    EXPECT_EQ((*tx)->ListConnectionsOf("p", "m", "", 10)->size(), 2U);  // sends what waits
    ASSERT_TRUE((*tx)->RollbackItem().ok());
    EXPECT_EQ(*(*tx)->CountConnectionsOf("p", "m"), 1);
    EXPECT_EQ((*tx)->ListConnectionsOf("p", "m", "", 10)->size(), 1U);
    ASSERT_TRUE((*tx)->Commit().ok());
  }
}

TEST(PostgresStore, AConnectionThatWasCutIsReplaced) {
  const std::string database = Server().NewDatabase();
  const auto store = OpenDatabase(database);
  MakePool(*store);
  ASSERT_TRUE(store->Read().ok());
  ASSERT_TRUE(Server().Run(
      "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database + "'"));
  EXPECT_TRUE(store->Read().ok());
  auto tx = store->Begin({.pools = {"p"}, .reads = {}});
  ASSERT_TRUE(tx.ok()) << tx.status();
  domain::Member member = MadeMember("m");
  ASSERT_TRUE((*tx)->Put("p", member).ok());
  // Cut before the commit: nothing is kept, and the error says that one cannot know.
  ASSERT_TRUE(Server().Run(
      "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database + "'"));
  const auto status = (*tx)->Commit();
  EXPECT_EQ(domain::ReasonOf(status), domain::ErrorReason::kStoreUnavailable);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("same request_id"));
  EXPECT_TRUE(domain::RetryAfterOf(status).has_value());
  tx->reset();
  EXPECT_FALSE((*(*store->Read())->GetMember("p", "m")).has_value());
  EXPECT_TRUE(store->Begin({.pools = {"p"}, .reads = {}}).ok());
}

TEST(PostgresStore, ANewerSchemaIsLivedWithWhereItSaysSo) {
  const std::string database = Server().NewDatabase();
  ASSERT_NE(OpenDatabase(database), nullptr);
  const std::int64_t mine = storage::postgres::kSchemaVersion;
  ASSERT_TRUE(Server().Run(database, "INSERT INTO schema_version VALUES (998, " + std::to_string(mine) + ")"));
  EXPECT_TRUE(Store::Open(OptionsFor(database)).ok());  // a later version that only added something
  ASSERT_TRUE(Server().Run(database, "INSERT INTO schema_version VALUES (999, 999)"));
  const auto refused = Store::Open(OptionsFor(database));
  EXPECT_THAT(std::string(refused.status().message()),
              ::testing::AllOf(::testing::HasSubstr("newer Warmline"), ::testing::HasSubstr("999"),
                               ::testing::HasSubstr("restore a backup")));
}

TEST(PostgresStore, ProcessesThatStartTogetherMigrateOnce) {
  const std::string database = Server().NewDatabase();
  std::vector<std::thread> starts;
  std::vector<std::uint64_t> histories(6);
  for (std::size_t i = 0; i < histories.size(); ++i) {
    starts.emplace_back([&, i] {
      const auto store = Store::Open(OptionsFor(database));
      ASSERT_TRUE(store.ok()) << store.status();
      histories[i] = (*store)->history();
    });
  }
  for (auto& start : starts) start.join();
  for (const auto history : histories) EXPECT_EQ(history, histories[0]);
}

TEST(PostgresStore, ADatabaseThatIsNotThereIsNamedWithTheRemedy) {
  StoreOptions options;
  options.connection.conninfo = "host=127.0.0.1 port=" + std::to_string(FreePort()) + " user=x password=secret-word";
  const auto away = Store::Open(options);
  EXPECT_EQ(domain::ReasonOf(away.status()), domain::ErrorReason::kStoreUnavailable);
  EXPECT_THAT(std::string(away.status().message()), ::testing::HasSubstr("check that it runs, and --postgres"));
  EXPECT_THAT(std::string(away.status().message()), ::testing::Not(::testing::HasSubstr("secret-word")));
  options.connection.conninfo = Server().ConnInfo("no_such_database");
  EXPECT_THAT(std::string(Store::Open(options).status().message()), ::testing::HasSubstr("no_such_database"));
}

}  // namespace
}  // namespace warmline::testing
