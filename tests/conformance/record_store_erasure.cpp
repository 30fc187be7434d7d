// What a store forgets with a member.
#include "codec/records.h"
#include "conformance/record_store_suite.h"
#include "support/random_world.h"

namespace warmline::testing {
namespace {

using application::WriteTransaction;

domain::Member MadeMember(const std::string& id) {
  RandomWorld random(7);
  return random.Member(id);
}

void Commit(application::RecordStore& store, const std::function<void(WriteTransaction&)>& write) {
  auto tx = store.Begin();
  ASSERT_TRUE(tx.ok()) << tx.status();
  write(**tx);
  ASSERT_TRUE((*tx)->Commit().ok());
}

void PutPool(application::RecordStore& store) {
  Commit(store, [](WriteTransaction& tx) {
    domain::Pool pool;
    pool.id = "p";
    ASSERT_EQ(*tx.Put(pool), 1);
  });
}

// The whole store as its readers tell it.
std::string Everything(application::RecordStore& store) {
  std::string all;
  const auto reader = store.Read();
  const auto log = (*reader)->ListChanges("p", 0, 1'000);
  for (const domain::Change& change : *log) all += codec::EncodeChange("p", change.body, {});
  const auto members = (*reader)->ListMembers("p", "", 1'000);
  for (const auto& member : *members) all += codec::Encode("p", member);
  const auto needs = (*reader)->ListNeeds("p", "", "", 1'000);
  for (const auto& need : *needs) all += codec::Encode("p", need);
  return all;
}

TEST_P(RecordStoreSuite, AnErasureNamesNoNeedAndLeavesNoExclusion) {
  PutPool(store());
  RandomWorld random(5);
  Commit(store(), [&](WriteTransaction& tx) {
    for (const char* id : {"secret-id-77", "secret-id-778", "other"}) {
      domain::Member member = MadeMember(id);
      ASSERT_TRUE(tx.Put("p", member).ok());
    }
    domain::Need own = random.Need("need-chosen-by-77", {"secret-id-77"});
    ASSERT_TRUE(tx.Put("p", own).ok());
    domain::Need others = random.Need("of-other", {"other"});
    others.constraints.exclude_members = {"secret-id-77", "secret-id-778"};
    ASSERT_TRUE(tx.Put("p", others).ok());
    domain::Need another = random.Need("of-other-too", {"other"});
    another.constraints.exclude_members = {"secret-id-778"};
    ASSERT_TRUE(tx.Put("p", another).ok());
  });
  Commit(store(), [&](WriteTransaction& tx) {
    ASSERT_TRUE(tx.EraseMember("p", "secret-id-77", absl::FromUnixSeconds(3'000'000)).ok());
  });
  Reopen();
  const std::string all = Everything(store());
  EXPECT_EQ(all.find("need-chosen-by-77"), std::string::npos);
  for (std::size_t at = all.find("secret-id-77"); at != std::string::npos; at = all.find("secret-id-77", at + 1))
    EXPECT_EQ(all.substr(at, 13), "secret-id-778");
  const auto reader = store().Read();
  EXPECT_EQ((**(*reader)->GetNeed("p", "of-other")).constraints.exclude_members,
            std::vector<std::string>{"secret-id-778"});
  // The need that changed is told of anew, and of the other nothing is lost.
  int told = 0;
  int told_too = 0;
  const auto log = (*reader)->ListChanges("p", 0, 100);
  for (const domain::Change& change : *log) {
    const auto* need = std::get_if<domain::Need>(&change.body);
    told += need != nullptr && need->id == "of-other" ? 1 : 0;
    told_too += need != nullptr && need->id == "of-other-too" ? 1 : 0;
  }
  EXPECT_EQ(told, 1);
  EXPECT_EQ(told_too, 1);
}

TEST_P(RecordStoreSuite, StatisticsOfBeforeCanBeDropped) {
  PutPool(store());
  Commit(store(), [&](WriteTransaction& tx) {
    for (std::int64_t generation = 1; generation <= 3; ++generation)
      ASSERT_TRUE(tx.Put("p", domain::Statistics{generation, generation, {{"skill:a", 1, {}}}}).ok());
    ASSERT_TRUE(tx.DropStatistics("p", 3).ok());
  });
  const auto reader = store().Read();
  EXPECT_FALSE((*(*reader)->GetStatisticsOf("p", 2)).has_value());
  EXPECT_EQ((**(*reader)->GetStatistics("p")).generation, 3);
}

TEST_P(RecordStoreSuite, AnErasureIsCleanedOnceItIsCommitted) {
  PutPool(store());
  absl::Time now = absl::FromUnixSeconds(1);
  // More than a store waits between two times.
  const auto clean_up = [&] {
    for (int i = 0; i < 50; ++i) {
      const auto cleaned = store().CleanErased(now += absl::Minutes(1));
      ASSERT_TRUE(cleaned.ok()) << cleaned.status();
      if (*cleaned == application::Cleaning::kClean) return;
    }
    ADD_FAILURE() << "it is never clean";
  };
  clean_up();
  std::string hash;
  for (int life = 0; life < 2; ++life) {  // whoever comes back and is erased again is cleaned again
    Commit(store(), [&](WriteTransaction& tx) {
      domain::Member member = MadeMember("ana");
      ASSERT_TRUE(tx.Put("p", member).ok());
      hash = tx.EraseMember("p", "ana", absl::FromUnixSeconds(2))->hash;
    });
    EXPECT_FALSE((**(*store().Read())->GetErasure("p", hash)).cleaned);
    clean_up();
    EXPECT_TRUE((**(*store().Read())->GetErasure("p", hash)).cleaned);
  }
}

}  // namespace
}  // namespace warmline::testing
