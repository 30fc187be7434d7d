#include "conformance/snapshot_cache_suite.h"

#include <filesystem>

#include "base/rcu.h"
#include "index/matcher.h"
#include "support/child_process.h"
#include "support/random_world.h"

namespace warmline::testing {

using application::SnapshotCache;
using index::PoolIndex;

void SnapshotCacheSuite::SetUp() { directory_ = TemporaryDirectory("cache"); }
void SnapshotCacheSuite::TearDown() { std::filesystem::remove_all(directory_); }

namespace {

constexpr std::uint64_t kHistory = 77;

// A pool that changes.
class World {
 public:
  explicit World(std::uint64_t seed, int members = 600) : random_(seed) {
    domain::Pool pool;
    pool.id = "p";
    index_ = std::make_unique<PoolIndex>(pool, RandomWorld::kEpochHour);
    PoolIndex::Loader loader(*index_);
    for (int i = 0; i < members; ++i) ids_.push_back("member-" + std::to_string(i));
    for (const auto& id : ids_) loader.Add(random_.Member(id));
    for (int i = 0; i < members; ++i) {
      const domain::Connection tie = random_.Connection(ids_);
      if (tie.a != tie.b) loader.Add(tie);
    }
    for (int i = 0; i < 5; ++i) loader.Add(random_.Need("need-" + std::to_string(i), ids_));
    loader.Finish(1);
  }
  void Put(const std::string& id) { Apply(random_.Member(id)); }
  void Erase(const std::string& id) { Apply(domain::MemberErased{id, "", 0}); }
  [[nodiscard]] index::SnapshotSource Source() const { return index::SnapshotSource(*index_); }
  [[nodiscard]] std::int64_t revision() const { return revision_; }

  // The restored index answers as this one does.
  void ExpectSame(const PoolIndex& other) {
    for (int i = 0; i < 20; ++i) {
      const domain::Need need = random_.Need("n" + std::to_string(i), ids_);
      const base::RcuReadGuard guard;
      const auto go_on = [] { return absl::OkStatus(); };
      const auto mine = index::Match(index_->view(), need, {.top_k = 10, .count_rules = true}, go_on);
      const auto theirs = index::Match(other.view(), need, {.top_k = 10, .count_rules = true}, go_on);
      ASSERT_TRUE(mine.ok() && theirs.ok());
      ASSERT_EQ(mine->ranked.size(), theirs->ranked.size());
      for (std::size_t k = 0; k < mine->ranked.size(); ++k) {
        EXPECT_EQ(mine->ranked[k].id, theirs->ranked[k].id);
        EXPECT_EQ(mine->ranked[k].score, theirs->ranked[k].score);
      }
      EXPECT_EQ(mine->candidates, theirs->candidates);
    }
    const base::RcuReadGuard guard;
    EXPECT_NE(index::FindNeed(other.view(), "need-3"), nullptr);
  }

 private:
  void Apply(domain::ChangeBody body) {
    const std::vector<domain::Change> change = {{++revision_, std::move(body)}};
    index_->Apply(change);
  }
  RandomWorld random_;
  std::vector<std::string> ids_;
  std::unique_ptr<PoolIndex> index_;
  std::int64_t revision_ = 1;
};

void Save(SnapshotCache& cache, const World& world, bool purge = false) {
  ASSERT_TRUE(cache.MayWrite("p"));
  const auto saved = cache.Save("p", kHistory, world.Source(), purge);
  ASSERT_TRUE(saved.ok()) << saved;
}

std::unique_ptr<PoolIndex> Load(SnapshotCache& cache, std::uint64_t history = kHistory) {
  auto loaded = cache.Load("p", history);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  if (!loaded.ok() || !loaded->has_value()) return nullptr;
  auto index = (*loaded)->restorer->Finish((*loaded)->revision, RandomWorld::kEpochHour, nullptr);
  EXPECT_TRUE(index.ok()) << index.status();
  return index.ok() ? *std::move(index) : nullptr;
}

TEST_P(SnapshotCacheSuite, WhatWasSavedIsLoadedByAnother) {
  World world(1);
  {
    const auto cache = Open();
    EXPECT_EQ(Load(*cache), nullptr);
    EXPECT_FALSE(cache->Newest("p", kHistory)->has_value());
    Save(*cache, world);
  }
  const auto cache = Open();
  const auto index = Load(*cache);
  ASSERT_NE(index, nullptr);
  world.ExpectSame(*index);
  const auto newest = cache->Newest("p", kHistory);
  ASSERT_TRUE(newest.ok() && newest->has_value());
  EXPECT_EQ((*newest)->revision, 1);
  EXPECT_EQ((*newest)->generation, 1);
}

TEST_P(SnapshotCacheSuite, ANewerOneTakesThePlaceOfAnOlderAndNotTheOtherWay) {
  World world(2);
  const auto cache = Open();
  const index::SnapshotSource old = world.Source();
  world.Put("member-7");
  Save(*cache, world);
  EXPECT_FALSE(cache->Save("p", kHistory, old, false).ok());
  EXPECT_EQ((**cache->Newest("p", kHistory)).revision, 2);
  world.Put("member-8");
  Save(*cache, world);
  const auto newest = cache->Newest("p", kHistory);
  EXPECT_EQ((**newest).revision, 3);
  EXPECT_EQ((**newest).generation, 2);
  const auto index = Load(*cache);
  ASSERT_NE(index, nullptr);
  world.ExpectSame(*index);
}

TEST_P(SnapshotCacheSuite, AnotherHistoryIsNotRead) {
  World world(3);
  const auto cache = Open();
  Save(*cache, world);
  EXPECT_EQ(Load(*cache, kHistory + 1), nullptr);
  EXPECT_FALSE(cache->Newest("p", kHistory + 1)->has_value());
}

TEST_P(SnapshotCacheSuite, DamageIsNoticedAndANewSnapshotHeals) {
  for (int how = 0; how < 3; ++how) {
    World world(4 + static_cast<std::uint64_t>(how));
    const auto cache = Open();
    if (how > 0) world.Put("member-1");
    for (int i = 0; i < how; ++i) world.Put("member-2");
    Save(*cache, world);
    ASSERT_NE(Load(*cache), nullptr);
    ASSERT_TRUE(GetParam().damage(directory_, how)) << how;
    EXPECT_EQ(Load(*cache), nullptr) << how;
    EXPECT_FALSE(cache->Newest("p", kHistory)->has_value()) << how;  // so that it is written anew
    Save(*cache, world);
    const auto index = Load(*cache);
    ASSERT_NE(index, nullptr) << how;
    world.ExpectSame(*index);
  }
  EXPECT_NE(metrics_.Text().find("warmline_snapshot_damaged_total"), std::string::npos);
}

TEST_P(SnapshotCacheSuite, OfAnErasedMemberNothingStays) {
  World world(9);
  world.Put("unmistakable-id-4711");
  const auto cache = Open();
  Save(*cache, world);
  world.Put("member-1");
  Save(*cache, world);  // the first generation's pieces still stay for a while
  world.Erase("unmistakable-id-4711");
  Save(*cache, world, true);
  EXPECT_EQ(GetParam().dump(directory_).find("unmistakable-id-4711"), std::string::npos);
  EXPECT_NE(Load(*cache), nullptr);
}

TEST_P(SnapshotCacheSuite, WhatIsDroppedIsGone) {
  World world(10);
  const auto cache = Open();
  Save(*cache, world);
  world.Put("member-1");
  Save(*cache, world);
  ASSERT_TRUE(cache->Drop("p").ok());
  EXPECT_FALSE(cache->Newest("p", kHistory)->has_value());
  EXPECT_EQ(Load(*cache), nullptr);
  EXPECT_EQ(GetParam().dump(directory_).find("member-1"), std::string::npos);
  EXPECT_TRUE(cache->Drop("p").ok());  // again changes nothing
  world.Put("member-2");
  Save(*cache, world);
  EXPECT_NE(Load(*cache), nullptr);
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SnapshotCacheSuite);

}  // namespace warmline::testing
