// Who sends, and from where: one process at a time, each change at least once, nothing skipped when they change over.
#include "application/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "storage/sqlite/store.h"
#include "support/child_process.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::testing {
namespace {

using application::Outbox;

// Counts what it takes; refuses while told to.
class Sink : public application::EventSink {
 public:
  absl::StatusOr<int> Send(const std::string& pool, const std::vector<domain::Change>& changes) override {
    const std::lock_guard lock(mutex_);
    if (refuses) return absl::UnavailableError("not now");
    for (const auto& change : changes) taken_.emplace_back(pool, change.revision);
    return static_cast<int>(changes.size());
  }
  std::vector<std::pair<std::string, std::int64_t>> taken() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  std::atomic<bool> refuses{false};

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::int64_t>> taken_;
};

class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() : directory_(TemporaryDirectory("outbox-unit")) {
    store_ = *storage::sqlite::Store::Open({.path = directory_ + "/warmline.db"});
    pools_ = std::make_unique<application::PoolRegistry>(*store_, clock_, metrics_);
    writes_ = std::make_unique<application::WriteQueue>(
        *store_, clock_, metrics_,
        [this](application::WriteQueue::Committed committed) { pools_->Apply(committed.changes); },
        application::WriteQueue::Limits{});
  }
  ~OutboxTest() override {
    writes_.reset();
    pools_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Write(std::function<absl::Status(application::WriteTransaction&)> run) {
    application::WriteJob job;
    job.run = [&](application::WriteTransaction& tx, absl::Time) { return run(tx); };
    ASSERT_TRUE(writes_->Run(std::move(job)).ok());
  }
  void MakePool(const std::string& id) {
    Write([&](auto& tx) {
      domain::Pool pool;
      pool.id = id;
      return tx.Put(pool).status();
    });
  }
  void AddMembers(int count, const std::string& pool = "p") {
    for (int i = 0; i < count; ++i) {
      Write([&](auto& tx) {
        domain::Member member;
        member.id = "m" + std::to_string(number_++);
        return tx.Put(pool, member).status();
      });
    }
  }
  std::unique_ptr<Outbox> Start(Sink& sink, const std::string& holder) {
    return std::make_unique<Outbox>(*store_, *pools_, *writes_, sink, clock_, metrics_, holder);
  }
  static bool Eventually(const std::function<bool()>& done) {
    for (int i = 0; i < 3'000 && !done(); ++i) absl::SleepFor(absl::Milliseconds(10));
    return done();
  }

  std::string directory_;
  application::SystemClock clock_;
  telemetry::PrometheusMetrics metrics_{"test"};
  std::unique_ptr<storage::sqlite::Store> store_;
  std::unique_ptr<application::PoolRegistry> pools_;
  std::unique_ptr<application::WriteQueue> writes_;
  int number_ = 0;
};

TEST_F(OutboxTest, BeginsWithWhatComesNextAndTellsNewPoolsFromTheirStart) {
  MakePool("p");
  AddMembers(5);
  Sink sink;
  auto outbox = Start(sink, "one");
  ASSERT_TRUE(Eventually([&] { return (*(*store_->Read())->GetOutbox("")).has_value(); }));
  AddMembers(2);
  MakePool("q");
  ASSERT_TRUE(Eventually([&] { return sink.taken().size() == 3; }));
  auto taken = sink.taken();
  std::sort(taken.begin(), taken.end());
  EXPECT_EQ(taken, (std::vector<std::pair<std::string, std::int64_t>>{{"p", 7}, {"p", 8}, {"q", 1}}));
}

// Ties and statistics are told to nobody: no batch was sent, and none is counted.
TEST_F(OutboxTest, WhatTellsNothingIsNoBatch) {
  class Deaf : public application::EventSink {
   public:
    absl::StatusOr<int> Send(const std::string&, const std::vector<domain::Change>&) override { return 0; }
  };
  Deaf sink;
  const Outbox outbox(*store_, *pools_, *writes_, sink, clock_, metrics_, "one");
  ASSERT_TRUE(Eventually([&] { return (*(*store_->Read())->GetOutbox("")).has_value(); }));
  MakePool("p");
  ASSERT_TRUE(Eventually([&] {
    const auto position = *(*store_->Read())->GetOutbox("p");
    return position && position->revision == 1;
  }));
  EXPECT_NE(metrics_.Text().find("\nwarmline_event_batches_total 0\n"), std::string::npos);
}

TEST_F(OutboxTest, AnotherGoesOnWhereOneStoppedAndNothingIsSkipped) {
  Sink first;
  auto one = Start(first, "one");
  ASSERT_TRUE(Eventually([&] { return (*(*store_->Read())->GetOutbox("")).has_value(); }));
  MakePool("p");
  AddMembers(250);
  ASSERT_TRUE(Eventually([&] { return first.taken().size() >= 251; }));
  Sink second;
  auto two = Start(second, "two");
  AddMembers(10);
  ASSERT_TRUE(Eventually([&] { return first.taken().size() + second.taken().size() >= 261; }));
  EXPECT_TRUE(second.taken().empty()) << "sends while another holds the pool";
  // What is not taken is not lost, whoever sends it in the end.
  first.refuses = true;
  AddMembers(10);
  one.reset();
  ASSERT_TRUE(Eventually([&] { return second.taken().size() >= 10; }));
  std::set<std::int64_t> all;
  for (auto* sink : {&first, &second}) {
    std::int64_t last = 0;
    for (const auto& [pool, revision] : sink->taken()) {
      EXPECT_GT(revision, last);
      last = revision;
      all.insert(revision);
    }
  }
  EXPECT_EQ(all.size(), 271U);
}

}  // namespace
}  // namespace warmline::testing
