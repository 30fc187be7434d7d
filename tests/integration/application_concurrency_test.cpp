// The use cases under many threads, below gRPC, so that ThreadSanitizer sees every lock: writers, matches, maintenance
// and statistics at once, over a real store. What was acknowledged is visible to the writer's next match.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "admission/work_pool.h"
#include "application/match_need.h"
#include "application/members.h"
#include "application/needs.h"
#include "application/pool_registry.h"
#include "application/pools.h"
#include "application/ties.h"
#include "application/write_queue.h"
#include "simulation/community.h"
#include "storage/sqlite/store.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::testing {
namespace {

using application::WriteTransaction;

// A submitted write, waited for.
class Waiter {
 public:
  absl::Status Run(application::WriteQueue& queue, std::function<absl::Status(WriteTransaction&, absl::Time)> run) {
    application::WriteJob job;
    job.run = std::move(run);
    job.done = [this](const absl::Status& status) {
      const std::lock_guard lock(mutex_);
      status_ = status;
      done_ = true;
      changed_.notify_one();
    };
    if (auto status = queue.Submit(std::move(job)); !status.ok()) return status;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
    done_ = false;
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  absl::Status status_;
  bool done_ = false;
};

TEST(ApplicationConcurrency, WritesMatchesMaintenanceAndStatisticsAtOnce) {
  std::string directory = ::testing::TempDir() + "warmline-threads-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  {
    auto store = storage::sqlite::Store::Open({.path = directory + "/warmline.db"});
    ASSERT_TRUE(store.ok());
    const application::SystemClock clock;
    telemetry::PrometheusMetrics metrics("test");
    application::PoolRegistry pools(**store, clock, metrics);
    application::WriteQueue writes(**store, clock, metrics,
                                   [&](const auto& committed) { pools.Apply(committed.changes); }, {});
    admission::WorkPool reads({.threads = 2, .max_waiting = 100}, [](admission::Lane, admission::Refusal) {});
    const application::Caller caller{domain::Audience::kOperator, ""};
    const simulation::Community community({.helpers = 300});
    domain::Pool pool;
    pool.id = "p";
    pool.display_name = "P";
    ASSERT_TRUE(Waiter()
                    .Run(writes, [&](WriteTransaction& tx,
                                     absl::Time now) { return application::CreatePool(tx, pool, now).status(); })
                    .ok());

    std::atomic<bool> stop{false};
    std::atomic<int> answers{0};
    std::vector<std::thread> threads;
    for (int w = 0; w < 3; ++w) {
      threads.emplace_back([&, w] {
        Waiter waiter;
        for (int i = w; i < 300; i += 3) {
          const domain::Member member = community.HelperAt(i);
          ASSERT_TRUE(waiter
                          .Run(writes,
                               [&](WriteTransaction& tx, absl::Time now) {
                                 return application::CreateMember(tx, caller, "p", member, now).status();
                               })
                          .ok());
          ASSERT_TRUE(waiter
                          .Run(writes,
                               [&](WriteTransaction& tx, absl::Time now) {
                                 return application::ConfirmOffer(tx, caller, "p", member.id, now).status();
                               })
                          .ok());
          domain::Need need = community.NeedAt(i);
          need.id.clear();
          need.seeker = member.id;
          const auto answer = application::MatchNeed(pools, caller, "p", {.stored_id = "", .inline_need = need},
                                                     {.top_k = 5}, [] { return absl::OkStatus(); });
          ASSERT_TRUE(answer.ok()) << answer.status();  // the seeker is there: their own write is visible
          if (i % 10 == 0) {
            ASSERT_TRUE(waiter
                            .Run(writes,
                                 [&](WriteTransaction& tx, absl::Time now) {
                                   return application::EraseMember(tx, caller, "p", member.id, now).status();
                                 })
                            .ok());
          }
        }
      });
    }
    for (int r = 0; r < 2; ++r) {
      threads.emplace_back([&] {
        while (!stop) {
          domain::Need need = community.NeedAt(answers % 50);
          need.id.clear();
          const auto answer = application::MatchNeed(pools, caller, "p", {.stored_id = "", .inline_need = need},
                                                     {.top_k = 10}, [] { return absl::OkStatus(); });
          ++answers;
          (void)reads.Submit({}, [&](const absl::Status&) {
            auto reader = (*store)->Read();
            if (reader.ok()) (void)(*reader)->ListMembers("p", "", 10);
          });
        }
      });
    }
    threads.emplace_back([&] {
      Waiter waiter;
      while (!stop) {
        pools.Maintain();
        (void)pools.PoolsToCount();
        (void)metrics.Text();
        (void)waiter.Run(writes, [&](WriteTransaction& tx, absl::Time) -> absl::Status {
          auto statistics = pools.CountStatistics("p");
          if (!statistics.ok()) return statistics.status();
          return tx.Put("p", *statistics).status();
        });
      }
    });
    for (int w = 0; w < 3; ++w) threads[static_cast<std::size_t>(w)].join();
    stop = true;
    for (std::size_t t = 3; t < threads.size(); ++t) threads[t].join();
    EXPECT_GT(answers, 0);
    const auto state = pools.State("p");
    ASSERT_TRUE(state.ok());
    EXPECT_EQ(state->members, 270);
    writes.Stop();
    reads.Stop();
    EXPECT_FALSE(writes.Submit({}).ok());

    // A rebuilt index is the same one.
    application::PoolRegistry rebuilt(**store, clock, metrics);
    ASSERT_TRUE(rebuilt.Load().ok());
    EXPECT_EQ(rebuilt.State("p")->members, 270);
    EXPECT_EQ(rebuilt.State("p")->helpers, state->helpers);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace warmline::testing
