#include <gmock/gmock.h>

#include "cache/redis/block.h"
#include "cache/redis/client.h"
#include "cache/redis/config.h"
#include "domain/error.h"

namespace warmline::cache::redis {
namespace {

using ::testing::HasSubstr;

TEST(RedisConfig, AddressesAreReadForEveryTopology) {
  const auto plain = ParseUrl("redis://cache.example:7000/3");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->addresses, (std::vector<Address>{{"cache.example", 7000}}));
  EXPECT_EQ(plain->database, 3);
  const auto user = ParseUrl("redis://warm:p%40ss%2Fword@cache");
  ASSERT_TRUE(user.ok());
  EXPECT_EQ(user->user, "warm");
  EXPECT_EQ(user->password, "p@ss/word");
  EXPECT_EQ(user->addresses[0].port, 6379);
  const auto socket = ParseUrl("unix:///run/redis.sock");
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(socket->addresses, (std::vector<Address>{{"/run/redis.sock", 0}}));
  const auto sentinel = ParseUrl("sentinel://:secret@a:1,b/warm");
  ASSERT_TRUE(sentinel.ok());
  EXPECT_EQ(sentinel->topology, Config::Topology::kSentinel);
  EXPECT_EQ(sentinel->addresses, (std::vector<Address>{{"a", 1}, {"b", 26379}}));
  EXPECT_EQ(sentinel->master, "warm");
  EXPECT_EQ(sentinel->password, "secret");
  const auto cluster = ParseUrl("cluster://a:1,b:2");
  ASSERT_TRUE(cluster.ok());
  EXPECT_EQ(cluster->topology, Config::Topology::kCluster);
}

TEST(RedisConfig, WhatIsWrongIsSaidWithTheRemedy) {
  const auto message = [](const std::string& url) {
    const auto config = ParseUrl(url);
    if (config.ok()) return std::string("accepted");
    const auto violations = domain::ViolationsOf(config.status());
    EXPECT_EQ(violations.at(0).field, "redis");
    return violations[0].description;
  };
  EXPECT_THAT(message("rediss://a"), HasSubstr("TLS proxy"));
  EXPECT_THAT(message("localhost:6379"), HasSubstr("write redis://host:port"));
  EXPECT_THAT(message("redis://a:x"), HasSubstr("\"a:x\" is not host:port"));
  EXPECT_THAT(message("redis://a:99999"), HasSubstr("is not host:port"));
  EXPECT_THAT(message("redis://a,b"), HasSubstr("sentinel:// or cluster://"));
  EXPECT_THAT(message("redis://a/x"), HasSubstr("number of a database"));
  EXPECT_THAT(message("sentinel://a:1"), HasSubstr("name the master"));
  EXPECT_THAT(message("cluster://a:1/2"), HasSubstr("a Cluster does not have"));
  EXPECT_THAT(message("unix://run"), HasSubstr("no path"));
  EXPECT_THAT(message("redis://u:%zz@a"), HasSubstr("hexadecimal"));
}

// From the Redis Cluster specification, and what redis-cli says.
TEST(RedisConfig, SlotsAreThoseOfTheCluster) {
  EXPECT_EQ(SlotOf("123456789"), 0x31c3);
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("{user1000}.followers"));
  EXPECT_EQ(SlotOf("foo{}{bar}"), SlotOf("foo{}{bar}"));
  EXPECT_NE(SlotOf("foo{}{bar}"), SlotOf("bar"));
  EXPECT_EQ(SlotOf("foo{{bar}}zap"), SlotOf("{bar"));
}

TEST(RedisBlock, ComesBackAsItWasPackedWhereThatPays) {
  const std::string even(100'000, 'a');
  EXPECT_LT(PackBlock(even).size(), 1'000U);
  EXPECT_EQ(*UnpackBlock(PackBlock(even), even.size()), even);
  std::string random;
  for (std::uint64_t i = 1, x = 1; i <= 1'000; ++i) {
    x = x * 6364136223846793005ULL + 1;
    random.append(reinterpret_cast<const char*>(&x), sizeof x);
  }
  EXPECT_EQ(PackBlock(random).size(), random.size() + 1);
  EXPECT_EQ(*UnpackBlock(PackBlock(random), random.size()), random);
  EXPECT_FALSE(UnpackBlock("", 3).ok());
  EXPECT_FALSE(UnpackBlock("\x07xyz", 3).ok());
  EXPECT_FALSE(UnpackBlock(PackBlock(even).substr(0, 20), even.size()).ok());
  EXPECT_FALSE(UnpackBlock(PackBlock(even), even.size() - 1).ok());
}

}  // namespace
}  // namespace warmline::cache::redis
