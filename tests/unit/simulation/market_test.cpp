// A simulated market: its figures, that the same seed gives the same, and that each rule is really taken away.
#include "simulation/market.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "simulation/market_ledger.h"
#include "storage/sqlite/store.h"
#include "support/child_process.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::simulation {
namespace {

TEST(Ledger, CountsNeedsInTheMonthTheyArose) {
  const absl::Time start = absl::UnixEpoch();
  const absl::Duration day = absl::Hours(24);
  MarketLedger ledger({.days = 60}, start);
  ledger.HelperJoined("able", true, false, start);
  ledger.HelperJoined("new", true, true, start);
  ledger.HelperJoined("late", true, true, start);
  ledger.NeedArose(true, start + day * 29);
  ledger.NeedArose(false, start + day * 31);
  ledger.NeedAnswered(true, start + day * 29, start + day * 35);
  ledger.NeedAnswered(false, start + day * 31, start + day * 31 + kAnswerInTime + absl::Hours(1));
  ledger.AskReached("able", start + day);
  ledger.AskReached("new", start + day);
  const MarketReport report = ledger.Report(start + day * 60);
  ASSERT_EQ(report.months.size(), 2U);
  EXPECT_EQ(report.months[0].answered_in_time, 1);
  EXPECT_EQ(report.months[0].givers_answered_in_time, 1);
  EXPECT_EQ(report.months[1].needs, 1);
  EXPECT_EQ(report.months[1].answered_in_time, 0);
  EXPECT_EQ(report.year.needs, 2);
  EXPECT_EQ(report.year.asks_to_able, 2);
  EXPECT_EQ(report.newcomers, 2);
  EXPECT_EQ(report.newcomers_reached, 1);
}

MarketReport Play(Without without) {
  const std::string directory = warmline::testing::TemporaryDirectory("market");
  MarketReport report;
  {
    auto store = storage::sqlite::Store::Open({.path = directory + "/market.db", .synchronous = "OFF"});
    EXPECT_TRUE(store.ok());
    telemetry::PrometheusMetrics metrics("test");
    const MarketOptions options{.members = 300, .days = 45, .seed = 7, .without = without};
    auto played = SimulateMarket(**store, metrics, options, [](int) { return true; });
    EXPECT_TRUE(played.ok()) << played.status();
    if (played.ok()) report = *std::move(played);
  }
  std::filesystem::remove_all(directory);
  return report;
}

TEST(Market, TheSameSeedGivesTheSameAndMassMailingAsksMore) {
  const MarketReport first = Play(Without::kNothing);
  const MarketReport again = Play(Without::kNothing);
  EXPECT_GT(first.year.needs, 20);
  EXPECT_GT(first.year.asks, first.year.needs);
  EXPECT_EQ(first.year.asks, again.year.asks);
  EXPECT_EQ(first.year.answered_in_time, again.year.answered_in_time);
  EXPECT_EQ(first.median_hours_to_answer, again.median_hours_to_answer);
  EXPECT_EQ(first.load_gini, again.load_gini);
  const MarketReport mass = Play(Without::kEverything);
  EXPECT_GT(mass.year.asks, 2 * first.year.asks);
}

}  // namespace
}  // namespace warmline::simulation
