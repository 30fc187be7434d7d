// Statistics forget with the erasure what nobody has any more, and nothing else.
#include "application/forget_interests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "application/erasure_cleaner.h"
#include "application/members.h"
#include "application/record_keys.h"
#include "application/refresh_statistics.h"
#include "base/rcu.h"
#include "domain/error.h"
#include "index/suggest.h"
#include "storage/sqlite/store.h"
#include "support/child_process.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::application {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Caller kOperator = {domain::Audience::kOperator, ""};

class ForgetInterestsTest : public ::testing::Test {
 protected:
  ForgetInterestsTest() : directory_(warmline::testing::TemporaryDirectory("forget")) {
    store_ = *storage::sqlite::Store::Open({.path = directory_ + "/warmline.db"});
    pools_ = std::make_unique<PoolRegistry>(*store_, clock_, metrics_);
    StartQueue();
    MustWrite([](WriteTransaction& tx) {
      domain::Pool pool;
      pool.id = "p";
      return tx.Put(pool).status();
    });
  }
  ~ForgetInterestsTest() override {
    writes_.reset();
    pools_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void StartQueue() {
    writes_ = std::make_unique<WriteQueue>(
        *store_, clock_, metrics_, [this](WriteQueue::Committed committed) { pools_->Apply(committed.changes); },
        WriteQueue::Limits{}, [this](WriteTransaction& tx) { return ForgetInterestsOfErased(tx, *pools_); });
  }
  void MustWrite(const std::function<absl::Status(WriteTransaction&)>& run) {
    WriteJob job;
    job.pool = "p";
    job.run = [&](WriteTransaction& tx, absl::Time) { return run(tx); };
    const absl::Status status = writes_->Run(std::move(job));
    ASSERT_TRUE(status.ok()) << status;
  }
  void Join(const std::string& id, const std::vector<std::string>& interests) {
    MustWrite([&](WriteTransaction& tx) {
      domain::Member member;
      member.id = id;
      member.display_name = id;
      member.offer.emplace();
      for (const std::string& interest : interests) member.interests.push_back({interest, interest, 1.0});
      return tx.Put("p", member).status();
    });
  }
  void Count() {
    MustWrite([&](WriteTransaction& tx) { return RefreshStatistics(tx, *pools_, "p").status(); });
  }
  // All in one job, and so in one transaction.
  void Erase(const std::vector<std::string>& ids) {
    MustWrite([&](WriteTransaction& tx) {
      for (const std::string& id : ids) {
        if (auto erased = EraseMember(tx, kOperator, "p", id, clock_.Now()); !erased.ok()) return erased.status();
      }
      return absl::OkStatus();
    });
  }
  [[nodiscard]] std::vector<std::string> Stored() const {
    const auto statistics = (*store_->Read())->GetStatistics("p");
    std::vector<std::string> names;
    for (const auto& interest : (*statistics)->interests)
      names.push_back(interest.canonical + " " + std::to_string(interest.helpers));
    return names;
  }
  [[nodiscard]] std::vector<std::string> Suggested() const {
    const base::RcuReadGuard guard;
    std::vector<std::string> names;
    for (const auto& suggestion : index::SuggestInterests(*pools_->Find("p"), "", {}, 100))
      names.push_back(suggestion.interest);
    return names;
  }

  std::string directory_;
  SystemClock clock_;
  telemetry::PrometheusMetrics metrics_{"test"};
  std::unique_ptr<storage::sqlite::Store> store_;
  std::unique_ptr<PoolRegistry> pools_;
  std::unique_ptr<WriteQueue> writes_;
};

TEST_F(ForgetInterestsTest, WhatOnlyTheErasedHadGoesInTheSameWrite) {
  Join("ana", {"skill:unique", "skill:shared"});
  Join("bo", {"skill:shared"});
  Count();
  EXPECT_THAT(Stored(), ElementsAre("skill:shared 2", "skill:unique 1"));
  Erase({"ana"});
  EXPECT_THAT(Stored(), ElementsAre("skill:shared 2"));  // numbers stay as they were counted
  EXPECT_THAT(Suggested(), ElementsAre("skill:shared"));
  // Older generations would name it, and are gone.
  EXPECT_FALSE((*(*store_->Read())->GetStatisticsOf("p", 1)).has_value());
}

TEST_F(ForgetInterestsTest, WhatTwoHadWhoAreErasedTogetherGoesToo) {
  Join("ana", {"skill:theirs"});
  Join("bo", {"skill:theirs"});
  Join("carla", {"skill:hers"});
  Count();
  Erase({"ana", "bo"});
  EXPECT_THAT(Stored(), ElementsAre("skill:hers 1"));
}

TEST_F(ForgetInterestsTest, WhatTheErasedHadBeforeAnUpdateGoesToo) {
  Join("ana", {"skill:before"});
  Join("bo", {"skill:other"});
  Count();
  Join("ana", {"skill:now"});
  Erase({"ana"});
  EXPECT_THAT(Stored(), ElementsAre("skill:other 1"));
}

TEST_F(ForgetInterestsTest, NoNewGenerationWhereNothingIsForgotten) {
  Join("ana", {"skill:shared"});
  Join("bo", {"skill:shared"});
  Count();
  Erase({"ana"});
  EXPECT_EQ(*(*store_->Read())->NewestGeneration("p"), 1);
}

TEST_F(ForgetInterestsTest, AReplicaThatIsBehindPassesOverAGenerationThatIsGone) {
  Join("ana", {"skill:unique"});
  Join("bo", {"skill:shared"});
  PoolRegistry behind(*store_, clock_, metrics_);
  ASSERT_TRUE(behind.CatchUp("p").ok());
  Count();
  Erase({"ana"});
  const auto builds = metrics_.Text();
  ASSERT_TRUE(behind.CatchUp("p").ok());
  EXPECT_EQ(behind.Revision("p"), pools_->Revision("p"));
  EXPECT_EQ(behind.StatisticsGeneration("p"), 2);
  // It followed the log, and read no record.
  const auto built = [](const std::string& text) {
    const auto at = text.find("warmline_index_builds_total");
    return text.substr(at == std::string::npos ? text.size() : at, 200);
  };
  EXPECT_EQ(built(builds), built(metrics_.Text()));
}

TEST_F(ForgetInterestsTest, APurgedSnapshotNamesNothingThatOnlyTheErasedHad) {
  Join("ana", {"skill:unique", "skill:shared"});
  Join("bo", {"skill:shared"});
  Count();
  Erase({"ana"});
  const auto pieces_with = [](const index::SnapshotSource& source, const std::string& text) {
    int pieces = 0;
    EXPECT_TRUE(source
                    .Write([&](const index::PieceId&, const std::string& bytes) {
                      pieces += bytes.find(text) != std::string::npos ? 1 : 0;
                      return absl::OkStatus();
                    })
                    .ok());
    return pieces;
  };
  // The dictionary keeps the name until a sweep is due.
  EXPECT_EQ(pieces_with(*pools_->TakeSnapshot("p"), "skill:unique"), 1);
  const auto purged = pools_->TakePurgedSnapshot("p");
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(pieces_with(**purged, "skill:unique"), 0);
  EXPECT_GT(pieces_with(**purged, "skill:shared"), 0);
  EXPECT_TRUE(absl::IsAborted(pools_->TakePurgedSnapshot("p").status()));  // the first holds the numbers
  EXPECT_TRUE(absl::IsNotFound(pools_->TakePurgedSnapshot("q").status()));
}

// Each of two replicas erases one of two members, and still sees the other.
TEST_F(ForgetInterestsTest, WhatTwoReplicasLeaveBehindIsForgottenAfterwards) {
  Join("ana", {"skill:theirs"});
  Join("bo", {"skill:theirs"});
  Join("carla", {"skill:hers"});
  Count();
  PoolRegistry other(*store_, clock_, metrics_);
  ASSERT_TRUE(other.CatchUp("p").ok());
  writes_.reset();
  for (const auto& [id, pools] : {std::pair("ana", pools_.get()), std::pair("bo", &other)}) {
    auto tx = store_->Begin();
    ASSERT_TRUE(EraseMember(**tx, kOperator, "p", id, clock_.Now()).ok());
    ASSERT_TRUE(ForgetInterestsOfErased(**tx, *pools).ok());
    ASSERT_TRUE((*tx)->Commit().ok());
  }
  ASSERT_TRUE(pools_->CatchUp("p").ok());
  EXPECT_THAT(Suggested(), ElementsAre("skill:hers"));  // not even before the store forgets
  EXPECT_TRUE(pools_->HasForgottenInterests("p"));
  StartQueue();
  ErasureCleaner cleaner(*store_, *pools_, *writes_, nullptr, clock_, metrics_, absl::Milliseconds(20));
  for (int i = 0; i < 3'000 && pools_->HasForgottenInterests("p"); ++i) absl::SleepFor(absl::Milliseconds(10));
  cleaner.Stop();
  EXPECT_FALSE(pools_->HasForgottenInterests("p"));
  EXPECT_THAT(Stored(), ElementsAre("skill:hers 1"));
}

}  // namespace
}  // namespace warmline::application
