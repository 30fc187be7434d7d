// Members who come and go, over gRPC, leave no memory behind. WARMLINE_CHURN_MINUTES=25 lets it run that long.
#include "support/churn.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/rcu.h"
#include "support/memory_probe.h"

namespace warmline::testing {
namespace {

constexpr int kPoints = 8;
constexpr std::int64_t kLivesOfWarmUp = 1'200;
constexpr std::int64_t kLivesOfAPoint = 250;

MemoryPoint Measure(TestServer& server, std::int64_t lives) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1'200));  // sweeps, and the totals of the metrics
  base::RcuSynchronize();
  return {lives, ReadMemory(server.Page("/metrics"))};
}

// Numbers of one table, those in use and those that wait.
double Numbers(const MemoryFigures& figures, const std::string& table) {
  const std::string label = "{table=\"" + table + "\"}";
  return figures.at("warmline_index_names" + label) + figures.at("warmline_index_free_numbers" + label);
}

void PrintLine(const MemoryPoint& last, const MemoryFigures& growth) {
  std::string line = absl::StrCat("{\"workload\":\"churn\",\"lives\":", last.cycles);
  for (const auto& [name, slope] : growth) {
    std::string key = name;
    std::erase(key, '"');
    absl::StrAppend(&line, ",\"", key, "\":", last.figures.at(name), ",\"", key, " per 1000\":", slope);
  }
  std::printf("%s}\n", line.c_str());
}

TEST(Churn, MemoryStaysWhenMembersComeAndGo) {
  TestServer server;
  server.CreatePool();
  Churn churn(server, {});
  const char* minutes = std::getenv("WARMLINE_CHURN_MINUTES");
  const absl::Duration lasts = absl::Minutes(minutes == nullptr ? 0 : std::atoi(minutes));
  const absl::Time began = absl::Now();
  std::vector<MemoryPoint> points;
  for (int i = 0; i <= kPoints; ++i) {
    do {
      churn.Run(i == 0 ? kLivesOfWarmUp : kLivesOfAPoint);
    } while (absl::Now() - began < lasts * (i + 1) / (kPoints + 1));
    if (i > 0) points.push_back(Measure(server, churn.lives()));
  }
  ASSERT_EQ(churn.failures(), 0) << churn.first_failure();
  const MemoryFigures growth = GrowthPerThousand(points);
  PrintLine(points.back(), growth);
  // Numbers of members and needs go to those who come. Of the rest a sweep leaves what is used, and waits for 1,024
  // more.
  EXPECT_LT(Numbers(growth, "members"), 50);
  EXPECT_LT(Numbers(growth, "needs"), 50);
  EXPECT_LT(
      Numbers(growth, "interests") + Numbers(growth, "attribute_sets") + Numbers(growth, "attribute_combinations"),
      1'000);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(growth.at("heap_without_sqlite"), 400'000);
#endif
}

}  // namespace
}  // namespace warmline::testing
