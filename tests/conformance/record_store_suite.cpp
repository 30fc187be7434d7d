#include "conformance/record_store_suite.h"

#include <filesystem>

#include "base/hash.h"
#include "domain/error.h"
#include "domain/interest.h"
#include "support/random_world.h"

namespace warmline::testing {

using application::WriteTransaction;
using domain::ErrorReason;

void RecordStoreSuite::SetUp() {
  std::string path = ::testing::TempDir() + "warmline-store-XXXXXX";
  ASSERT_NE(mkdtemp(path.data()), nullptr);
  directory_ = path;
  store_ = GetParam().open(directory_);
  ASSERT_NE(store_, nullptr);
}

void RecordStoreSuite::TearDown() {
  store_.reset();
  std::filesystem::remove_all(directory_);
}

void RecordStoreSuite::Reopen() {
  store_.reset();
  store_ = GetParam().open(directory_);
  ASSERT_NE(store_, nullptr);
}

namespace {

domain::Pool MadePool(const std::string& id) {
  domain::Pool pool;
  pool.id = id;
  pool.display_name = "Pool " + id;
  pool.create_time = absl::FromUnixSeconds(1'000);
  pool.policy.synonyms = {{"a:b", "a:c"}};
  return pool;
}

domain::Member MadeMember(const std::string& id) {
  RandomWorld random(7);
  domain::Member member = random.Member(id);
  member.display_name = "نرجس " + id;
  return member;
}

domain::Connection Tie(const std::string& a, const std::string& b) {
  domain::Connection tie;
  tie.a = std::min(a, b);
  tie.b = std::max(a, b);
  tie.state = domain::ConnectionState::kConfirmed;
  return tie;
}

// Runs `write` in a transaction of its own and commits it.
void Commit(application::RecordStore& store, const std::function<void(WriteTransaction&)>& write) {
  auto tx = store.Begin();
  ASSERT_TRUE(tx.ok()) << tx.status();
  write(**tx);
  ASSERT_TRUE((*tx)->Commit().ok());
}

void PutPool(application::RecordStore& store) {
  Commit(store, [](WriteTransaction& tx) {
    domain::Pool pool = MadePool("p");
    ASSERT_EQ(*tx.Put(pool), 1);
    ASSERT_EQ(pool.revision, 1);
  });
}

TEST_P(RecordStoreSuite, AStoreNamesItsHistoryAndKeepsItsKey) {
  const auto history = store().history();
  const auto key = store().token_key();
  EXPECT_NE(history, 0U);
  EXPECT_EQ(key.size(), 32U);
  Reopen();
  EXPECT_EQ(store().history(), history);
  EXPECT_EQ(store().token_key(), key);
}

TEST_P(RecordStoreSuite, RecordsComeBackAsTheyWere) {
  PutPool(store());
  const domain::Member member = MadeMember("m");
  Commit(store(), [&](WriteTransaction& tx) {
    domain::Member copy = member;
    EXPECT_EQ(*tx.Put("p", copy), 2);
    EXPECT_EQ(copy.revision, 2);
  });
  Reopen();
  auto reader = store().Read();
  ASSERT_TRUE(reader.ok());
  const auto found = (*reader)->GetMember("p", "m");
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->display_name, member.display_name);
  EXPECT_EQ((*found)->interests.size(), member.interests.size());
  EXPECT_EQ((*found)->offer.has_value(), member.offer.has_value());
  EXPECT_EQ((*found)->evidence.size(), member.evidence.size());
  EXPECT_EQ((*found)->revision, 2);
  EXPECT_EQ((**(*reader)->GetPool("p")).policy.synonyms.at("a:b"), "a:c");
  EXPECT_FALSE((*(*reader)->GetMember("p", "n")).has_value());
  EXPECT_FALSE((*(*reader)->GetMember("q", "m")).has_value());  // nothing crosses pools
}

TEST_P(RecordStoreSuite, RevisionsCountUpWithoutGapsAndTheLogSaysWhat) {
  PutPool(store());
  Commit(store(), [](WriteTransaction& tx) {
    domain::Member a = MadeMember("a");
    domain::Member b = MadeMember("b");
    domain::Connection tie = Tie("a", "b");
    EXPECT_EQ(*tx.Put("p", a), 2);
    EXPECT_EQ(*tx.Put("p", b), 3);
    EXPECT_EQ(*tx.Put("p", tie), 4);
    EXPECT_EQ(*tx.DeleteConnection("p", "a", "b"), 5);
    EXPECT_EQ(tx.changes().size(), 4U);
  });
  auto reader = store().Read();
  EXPECT_EQ(*(*reader)->HeadRevision("p"), 5);
  EXPECT_EQ(*(*reader)->HeadRevision("q"), 0);
  const auto log = (*reader)->ListChanges("p", 1, 100);
  ASSERT_TRUE(log.ok());
  ASSERT_EQ(log->size(), 4U);
  for (std::size_t i = 0; i < log->size(); ++i) EXPECT_EQ((*log)[i].revision, static_cast<std::int64_t>(i) + 2);
  EXPECT_EQ(std::get<domain::Member>((*log)[0].body).id, "a");
  EXPECT_EQ(std::get<domain::ConnectionDeleted>((*log)[3].body).b, "b");
}

TEST_P(RecordStoreSuite, APoolThatIsMissingIsAnError) {
  auto tx = store().Begin();
  ASSERT_TRUE(tx.ok());
  domain::Member member = MadeMember("m");
  EXPECT_EQ(domain::ReasonOf((*tx)->Put("nowhere", member).status()), ErrorReason::kPoolNotFound);
}

TEST_P(RecordStoreSuite, WhatIsNotCommittedIsGone) {
  PutPool(store());
  {
    auto tx = store().Begin();
    domain::Member member = MadeMember("m");
    ASSERT_TRUE((*tx)->Put("p", member).ok());
  }
  auto reader = store().Read();
  EXPECT_FALSE((*(*reader)->GetMember("p", "m")).has_value());
  EXPECT_EQ(*(*reader)->HeadRevision("p"), 1);
}

TEST_P(RecordStoreSuite, AnItemIsUndoneByItself) {
  PutPool(store());
  Commit(store(), [](WriteTransaction& tx) {
    domain::Member a = MadeMember("a");
    domain::Member b = MadeMember("b");
    domain::Member c = MadeMember("c");
    ASSERT_TRUE(tx.BeginItem().ok());
    ASSERT_TRUE(tx.Put("p", a).ok());
    ASSERT_TRUE(tx.BeginItem().ok());  // items nest
    ASSERT_TRUE(tx.Put("p", b).ok());
    ASSERT_TRUE(tx.RollbackItem().ok());
    ASSERT_TRUE(tx.EndItem().ok());
    ASSERT_TRUE(tx.BeginItem().ok());
    EXPECT_EQ(*tx.Put("p", c), 3);  // the revision of the undone item is given again: no gap
    ASSERT_TRUE(tx.EndItem().ok());
    EXPECT_EQ(tx.changes().size(), 2U);
  });
  auto reader = store().Read();
  EXPECT_TRUE((*(*reader)->GetMember("p", "a")).has_value());
  EXPECT_FALSE((*(*reader)->GetMember("p", "b")).has_value());
  EXPECT_TRUE((*(*reader)->GetMember("p", "c")).has_value());
}

TEST_P(RecordStoreSuite, AReaderSeesOneState) {
  PutPool(store());
  auto reader = store().Read();
  EXPECT_EQ(*(*reader)->HeadRevision("p"), 1);
  Commit(store(), [](WriteTransaction& tx) {
    domain::Member member = MadeMember("m");
    ASSERT_TRUE(tx.Put("p", member).ok());
  });
  EXPECT_EQ(*(*reader)->HeadRevision("p"), 1);
  EXPECT_FALSE((*(*reader)->GetMember("p", "m")).has_value());
  auto later = store().Read();
  EXPECT_EQ(*(*later)->HeadRevision("p"), 2);
}

TEST_P(RecordStoreSuite, ListsArePagedInByteOrder) {
  PutPool(store());
  Commit(store(), [](WriteTransaction& tx) {
    for (const char* id : {"b", "a", "Z", "c", "a1"}) {
      domain::Member member = MadeMember(id);
      ASSERT_TRUE(tx.Put("p", member).ok());
    }
    for (const auto& [a, b] : {std::pair("a", "b"), {"a", "c"}, {"Z", "a"}}) {
      domain::Connection tie = Tie(a, b);
      ASSERT_TRUE(tx.Put("p", tie).ok());
    }
    ASSERT_TRUE(tx.Put("p", domain::Block{"b", "c"}).ok());
    ASSERT_TRUE(tx.Put("p", domain::Block{"b", "a"}).ok());
  });
  auto reader = store().Read();
  std::vector<std::string> ids;
  for (std::string after;;) {
    const auto page = (*reader)->ListMembers("p", after, 2);
    ASSERT_TRUE(page.ok());
    for (const auto& member : *page) ids.push_back(member.id);
    if (page->size() < 2) break;
    after = page->back().id;
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"Z", "a", "a1", "b", "c"}));
  const auto ties = (*reader)->ListConnectionsOf("p", "a", "", 10);
  ASSERT_EQ(ties->size(), 3U);
  EXPECT_EQ((*ties)[0].a, "Z");
  EXPECT_EQ((*ties)[2].b, "c");
  EXPECT_EQ((*reader)->ListConnectionsOf("p", "a", "Z", 1)->at(0).b, "b");
  EXPECT_EQ((*reader)->ListConnections("p", {"a", "b"}, 10)->size(), 1U);
  EXPECT_EQ(*(*reader)->CountConnectionsOf("p", "a"), 3);
  EXPECT_EQ((*reader)->ListBlocksOf("p", "b", "", 10)->at(0).blocked, "a");
  EXPECT_EQ(*(*reader)->CountBlocksOf("p", "b"), 2);
  EXPECT_TRUE((*(*reader)->GetBlock("p", "b", "a")).has_value());
  EXPECT_FALSE((*(*reader)->GetBlock("p", "a", "b")).has_value());
}

TEST_P(RecordStoreSuite, NeedsAreListedBySeekerAndCountedWhileOpen) {
  PutPool(store());
  RandomWorld random(3);
  Commit(store(), [&](WriteTransaction& tx) {
    for (const char* id : {"n1", "n2", "n3"}) {
      domain::Need need = random.Need(id, {"s"});
      if (std::string(id) == "n3") need.seeker = "t";
      if (std::string(id) == "n2") need.state = domain::NeedState::kClosed;
      ASSERT_TRUE(tx.Put("p", need).ok());
    }
  });
  auto reader = store().Read();
  EXPECT_EQ((*reader)->ListNeeds("p", "", "", 10)->size(), 3U);
  EXPECT_EQ((*reader)->ListNeeds("p", "s", "n1", 10)->size(), 1U);
  EXPECT_EQ(*(*reader)->CountOpenNeedsOf("p", "s"), 1);
  EXPECT_EQ((**(*reader)->GetNeed("p", "n2")).state, domain::NeedState::kClosed);
}

TEST_P(RecordStoreSuite, TheNewestStatisticsAreRead) {
  PutPool(store());
  Commit(store(), [](WriteTransaction& tx) {
    for (std::int64_t generation = 1; generation <= 12; ++generation) {
      domain::Statistics statistics{generation, 10 * generation, {{"skill:sql", 3, {{"skill:python", 77}}}}};
      ASSERT_TRUE(tx.Put("p", statistics).ok());
    }
  });
  auto reader = store().Read();
  const auto newest = (*reader)->GetStatistics("p");
  ASSERT_TRUE(newest.ok() && newest->has_value());
  EXPECT_EQ((*newest)->generation, 12);
  EXPECT_EQ(*(*reader)->NewestGeneration("p"), 12);
  EXPECT_EQ(*(*reader)->NewestGeneration("q"), 0);
  EXPECT_EQ((**(*reader)->GetStatisticsOf("p", 5)).helpers, 50);  // the newest eight are kept for who follows
  EXPECT_FALSE((*(*reader)->GetStatisticsOf("p", 1)).has_value());
  EXPECT_EQ(*(*reader)->ListHeads(), (std::vector<std::pair<std::string, std::int64_t>>{{"p", 13}}));
  EXPECT_EQ((*newest)->interests.at(0).relations.at(0).discount, 77);
}

TEST_P(RecordStoreSuite, RepliesAreKeptForRetries) {
  PutPool(store());
  const absl::Time now = absl::FromUnixSeconds(2'000'000);
  Commit(store(), [&](WriteTransaction& tx) {
    ASSERT_TRUE(tx.PutReply("p", "request-1", "m", {0xffffffffffffffffULL, std::string("a\0b", 3)}, now).ok());
  });
  auto tx = store().Begin();
  const auto kept = (*tx)->GetReply("p", "request-1");
  ASSERT_TRUE(kept.ok() && kept->has_value());
  EXPECT_EQ((*kept)->fingerprint, 0xffffffffffffffffULL);
  EXPECT_EQ((*kept)->reply, std::string("a\0b", 3));
  EXPECT_FALSE((*(*tx)->GetReply("p", "request-2")).has_value());
  ASSERT_TRUE((*tx)->PutReply("p", "request-2", "", {1, "x"}, now + absl::Hours(25)).ok());
  EXPECT_FALSE((*(*tx)->GetReply("p", "request-1")).has_value());  // a day is over
}

TEST_P(RecordStoreSuite, ErasureRemovesAMemberEverywhere) {
  PutPool(store());
  RandomWorld random(5);
  const absl::Time now = absl::FromUnixSeconds(3'000'000);
  Commit(store(), [&](WriteTransaction& tx) {
    for (const char* id : {"secret-id-77", "other"}) {
      domain::Member member = MadeMember(id);
      ASSERT_TRUE(tx.Put("p", member).ok());
    }
    domain::Connection tie = Tie("secret-id-77", "other");
    ASSERT_TRUE(tx.Put("p", tie).ok());
    ASSERT_TRUE(tx.Put("p", domain::Block{"other", "secret-id-77"}).ok());
    domain::Need need = random.Need("n", {"secret-id-77"});
    ASSERT_TRUE(tx.Put("p", need).ok());
    ASSERT_TRUE(tx.PutReply("p", "request-1", "secret-id-77", {1, "secret-id-77"}, now).ok());
    ASSERT_TRUE(
        tx.PutReply("p", "request-2", "other", {1, std::string("\0a tie: members/secret-id-77", 28)}, now).ok());
  });
  std::string hash;
  Commit(store(), [&](WriteTransaction& tx) {
    const auto record = tx.EraseMember("p", "secret-id-77", now);
    ASSERT_TRUE(record.ok()) << record.status();
    hash = record->hash;
    EXPECT_FALSE((*tx.GetReply("p", "request-1")).has_value());
    EXPECT_FALSE((*tx.GetReply("p", "request-2")).has_value());
    EXPECT_GE(record->records_removed, 5);
  });
  Reopen();
  auto reader = store().Read();
  EXPECT_FALSE((*(*reader)->GetMember("p", "secret-id-77")).has_value());
  EXPECT_TRUE((*reader)->ListConnections("p", {}, 10)->empty());
  EXPECT_TRUE((*reader)->ListBlocks("p", {}, 10)->empty());
  EXPECT_TRUE((*reader)->ListNeeds("p", "", "", 10)->empty());
  const auto ledger = (*reader)->GetErasure("p", hash);
  ASSERT_TRUE(ledger.ok() && ledger->has_value());
  EXPECT_EQ((*ledger)->time, now);
  const auto log = (*reader)->ListChanges("p", 0, 100);
  std::int64_t empty = 0;
  std::int64_t erasures = 0;
  for (std::size_t i = 0; i < log->size(); ++i) {
    EXPECT_EQ((*log)[i].revision, static_cast<std::int64_t>(i) + 1);  // rows stay, payloads go
    if (std::holds_alternative<std::monostate>((*log)[i].body)) ++empty;
    if (const auto* erased = std::get_if<domain::MemberErased>(&(*log)[i].body)) {
      EXPECT_EQ(erased->id, "");  // a replica that holds the member finds it all the same
      EXPECT_EQ(erased->hash, hash);
      EXPECT_EQ(erased->id_hash, base::Hash64("secret-id-77"));
      ++erasures;
    }
  }
  EXPECT_EQ(empty, 4);  // member, tie, block, need
  EXPECT_EQ(erasures, 1);
  EXPECT_EQ(store().ErasureHash("p", "secret-id-77"), hash);
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RecordStoreSuite);

}  // namespace warmline::testing
