// Rates and roles, with a clock held by hand.
#include "application/access.h"

#include <gtest/gtest.h>

#include <thread>

namespace warmline::application {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);

TEST(RateLimit, LetsASecondsWorthThroughAtOnceAndThenTheRate) {
  const RateLimit limit(10);
  int let = 0;
  for (int i = 0; i < 100; ++i) let += limit.Take(kStart) ? 0 : 1;
  EXPECT_EQ(let, 10);
  EXPECT_EQ(*limit.Take(kStart), absl::Milliseconds(100));
  EXPECT_FALSE(limit.Take(kStart + absl::Milliseconds(100)).has_value());
  EXPECT_TRUE(limit.Take(kStart + absl::Milliseconds(150)).has_value());
  let = 0;
  for (int ms = 200; ms < 10'200; ++ms) let += limit.Take(kStart + absl::Milliseconds(ms)) ? 0 : 1;
  EXPECT_EQ(let, 100);
}

TEST(RateLimit, ASlowRateLetsOneThrough) {
  const RateLimit limit(0.1);
  EXPECT_FALSE(limit.Take(kStart).has_value());
  EXPECT_EQ(*limit.Take(kStart), absl::Seconds(10));
  EXPECT_FALSE(limit.Take(kStart + absl::Seconds(10)).has_value());
}

TEST(RateLimit, NoneIsNoLimitAndThreadsShareOne) {
  const RateLimit none(0);
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(none.Take(kStart).has_value());
  const RateLimit limit(1'000);
  std::atomic<int> let{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) let += limit.Take(kStart) ? 0 : 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(let, 1'000);
}

TEST(CallRole, HaveNames) {
  EXPECT_EQ(RoleNames(CallRole::kReader | CallRole::kMemberWriter), "reader, member-writer");
  EXPECT_EQ(RoleOf("introducer"), CallRole::kIntroducer);
  EXPECT_FALSE(RoleOf("boss").has_value());
}

TEST(TokenRegistry, AnUnchangedGrantKeepsWhatItUsed) {
  TokenRegistry registry;
  EXPECT_EQ(registry.Find("hash"), nullptr);
  const auto table = [](double rate) {
    TokenTable made;
    Grant grant;
    grant.name = "app";
    grant.calls_per_second = rate;
    made.Add("hash", grant);
    return made;
  };
  registry.Exchange(table(1));
  const auto first = registry.Find("hash");
  ASSERT_NE(first, nullptr);
  EXPECT_FALSE(first->rate.Take(kStart).has_value());
  registry.Exchange(table(1));
  EXPECT_EQ(registry.Find("hash"), first);
  EXPECT_TRUE(registry.Find("hash")->rate.Take(kStart).has_value());
  registry.Exchange(table(2));
  EXPECT_NE(registry.Find("hash"), first);
  registry.Exchange(TokenTable());
  EXPECT_EQ(registry.Find("hash"), nullptr);
  EXPECT_EQ(first->grant.name, "app");  // a call that began before keeps it
}

}  // namespace
}  // namespace warmline::application
