// How a registry follows a log: in order, each change once, whatever is told twice, late or not at all.
#include "application/pool_registry.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/rcu.h"
#include "storage/sqlite/store.h"
#include "support/child_process.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::testing {
namespace {

class Registry : public ::testing::Test {
 protected:
  Registry() : directory_(TemporaryDirectory("registry")) {
    store_ = *storage::sqlite::Store::Open({.path = directory_ + "/warmline.db"});
    auto tx = store_->Begin();
    domain::Pool pool;
    pool.id = "p";
    EXPECT_TRUE((*tx)->Put(pool).ok());
    for (int i = 0; i < 10; ++i) {
      domain::Member member;
      member.id = "m" + std::to_string(i);
      EXPECT_TRUE((*tx)->Put("p", member).ok());
    }
    log_ = (*tx)->changes();
    EXPECT_TRUE((*tx)->Commit().ok());
  }
  ~Registry() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  // Changes by their revisions.
  [[nodiscard]] std::vector<domain::Change> Told(const std::vector<std::int64_t>& revisions) const {
    std::vector<domain::Change> changes;
    for (const auto revision : revisions) changes.push_back(log_[static_cast<std::size_t>(revision - 1)].second);
    return changes;
  }
  [[nodiscard]] static int Members(const application::PoolRegistry& pools) {
    const auto state = pools.State("p");
    return state.ok() ? static_cast<int>(state->members) : -1;
  }

  std::string directory_;
  application::SystemClock clock_;
  telemetry::PrometheusMetrics metrics_{"test"};
  std::unique_ptr<storage::sqlite::Store> store_;
  std::vector<std::pair<std::string, domain::Change>> log_;
};

TEST_F(Registry, AppliesWhatFollowsAndNothingPastAGap) {
  application::PoolRegistry pools(*store_, clock_, metrics_);
  EXPECT_FALSE(pools.Follow("p", Told({3, 4})));  // no pool yet, and not its beginning
  EXPECT_TRUE(pools.Follow("p", Told({1, 2, 3})));
  EXPECT_EQ(Members(pools), 2);
  EXPECT_TRUE(pools.Follow("p", Told({2, 3, 4})));  // told twice
  EXPECT_EQ(pools.Revision("p"), 4);
  EXPECT_FALSE(pools.Follow("p", Told({6, 7})));
  EXPECT_EQ(pools.Revision("p"), 4);
  EXPECT_FALSE(pools.Follow("p", Told({5, 6, 9, 10})));  // a gap in the middle: up to there
  EXPECT_EQ(pools.Revision("p"), 6);
  EXPECT_EQ(Members(pools), 5);
  ASSERT_TRUE(pools.CatchUp("p").ok());
  EXPECT_EQ(pools.Revision("p"), 11);
  EXPECT_EQ(Members(pools), 10);
  EXPECT_TRUE(pools.Follow("p", Told({9, 10})));  // long known
  EXPECT_EQ(pools.Revision("p"), 11);
}

TEST_F(Registry, WhatOneCommitsComesAfterWhatOthersDid) {
  application::PoolRegistry pools(*store_, clock_, metrics_);
  ASSERT_TRUE(pools.Follow("p", Told({1, 2})));
  pools.Apply({log_.begin() + 8, log_.begin() + 10});  // 9 and 10: those before are read from the log
  EXPECT_EQ(pools.Revision("p"), 11);
  EXPECT_EQ(Members(pools), 10);
}

}  // namespace
}  // namespace warmline::testing
