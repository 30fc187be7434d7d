#include "telemetry/striped_histogram.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace warmline::telemetry {
namespace {

const std::vector<double> kBounds = {1, 10, 100};

TEST(StripedHistogram, AddsUpWhatManyThreadsSaw) {
  StripedHistogram histogram(kBounds);
  std::vector<std::thread> threads;
  for (int t = 0; t < 20; ++t) {  // more than there are stripes
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) {
        histogram.Observe(1);  // at a bound: within
        histogram.Observe(2);
        histogram.Observe(1e6);  // past the last
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto collected = histogram.Collect();
  EXPECT_EQ(collected.sample_count, 60'000U);
  EXPECT_DOUBLE_EQ(collected.sample_sum, 20'000 * (1.0 + 2.0 + 1e6));
  ASSERT_EQ(collected.bucket.size(), 4U);
  EXPECT_EQ(collected.bucket[0].cumulative_count, 20'000U);
  EXPECT_EQ(collected.bucket[1].cumulative_count, 40'000U);
  EXPECT_EQ(collected.bucket[2].cumulative_count, 40'000U);
  EXPECT_EQ(collected.bucket[3].cumulative_count, 60'000U);
}

TEST(StripedHistogramFamily, OneHistogramForEqualLabelsWhereverTheyStand) {
  StripedHistogramFamily family("f", "help", {"method", "code"}, kBounds);
  const std::string method = "Match";
  const std::string other_method = "Match";  // equal, elsewhere
  family.Of(method.c_str(), "OK").Observe(1);
  family.Of(other_method.c_str(), "OK").Observe(1);
  family.Of(method.c_str(), "NOT_FOUND").Observe(5);
  EXPECT_EQ(&family.Of(method.c_str(), "OK"), &family.Of(other_method.c_str(), "OK"));
  const auto collected = family.Collect();
  ASSERT_EQ(collected.metric.size(), 2U);
  EXPECT_EQ(collected.metric[0].histogram.sample_count, 2U);
  EXPECT_EQ(collected.metric[0].label[1].value, "OK");
  EXPECT_EQ(collected.metric[1].histogram.sample_count, 1U);
}

TEST(StripedHistogramFamily, ThreadsThatComeFirstTogetherAgree) {
  StripedHistogramFamily family("f", "help", {"method", "code"}, kBounds);
  static const std::vector<std::string> methods = {"a", "b", "c", "d", "e", "f", "g", "h"};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) family.Of(methods[static_cast<std::size_t>(i % 8)].c_str(), "OK").Observe(1);
    });
  }
  for (auto& thread : threads) thread.join();
  const auto collected = family.Collect();
  ASSERT_EQ(collected.metric.size(), 8U);
  for (const auto& metric : collected.metric) EXPECT_EQ(metric.histogram.sample_count, 2'000U);
}

}  // namespace
}  // namespace warmline::telemetry
