#include "base/rcu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/name_table.h"
#include "base/versioned.h"

namespace warmline::base {
namespace {

TEST(Rcu, FreesOnlyAfterReadersEnd) {
  std::atomic<bool> freed{false};
  {
    const RcuReadGuard guard;
    RcuRetire([&] { freed = true; });
    EXPECT_FALSE(freed);
  }
  RcuSynchronize();
  EXPECT_TRUE(freed);
}

TEST(Rcu, NestsAndManyThreadsRead) {
  struct Box {
    std::atomic<int> alive{1};
  };
  std::atomic<Box*> current{new Box};
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> reads{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const RcuReadGuard outer;
        const RcuReadGuard inner;
        ASSERT_EQ(current.load()->alive.load(), 1);
        ++reads;
      }
    });
  }
  for (int i = 0; i < 2'000; ++i) {
    Box* old = current.exchange(new Box);
    RcuRetire([old] {
      old->alive = 0;
      delete old;
    });
  }
  while (reads < 1'000) std::this_thread::yield();
  stop = true;
  for (auto& reader : readers) reader.join();
  RcuSynchronize();
  delete current.load();
}

TEST(Versioned, ReadersSeeTheirSequence) {
  Versioned<int> value;
  EXPECT_EQ(value.Read(9), nullptr);
  ASSERT_EQ(value.Write(1, 1), nullptr);
  const auto* old = value.Write(2, 5);
  EXPECT_EQ(*value.Read(4), 1);
  EXPECT_EQ(*value.Read(5), 2);
  EXPECT_EQ(value.Read(0), nullptr);
  EXPECT_EQ(*value.Newest(), 2);
  delete old;
}

TEST(NameTable, NumbersStayUntilTheirNamesAreForgotten) {
  NameTable table;
  const RcuReadGuard guard;
  for (std::uint32_t i = 0; i < 5'000; ++i) ASSERT_EQ(table.Intern("name-" + std::to_string(i)), i);
  for (std::uint32_t i = 0; i < 5'000; ++i) ASSERT_EQ(table.Find("name-" + std::to_string(i)), i);
  EXPECT_EQ(table.Intern("name-7"), 7U);
  table.Forget(7);
  EXPECT_EQ(table.Find("name-7"), std::nullopt);
  EXPECT_EQ(table.Name(7), "");
  table.Forget(7);  // once more: nothing happens
  EXPECT_EQ(table.free(), 1U);
  EXPECT_EQ(table.Append("another"), 5'000U);
  EXPECT_EQ(table.Intern("name-7"), 7U);
  EXPECT_EQ(table.free(), 0U);
  EXPECT_EQ(table.Intern("a third"), 5'001U);
}

TEST(NameTable, HoldsNoMoreThanTheNamesOfAnyTime) {
  NameTable table;
  constexpr int kLiving = 300;
  const auto name = [](int i) { return "a name that is longer than fifteen characters " + std::to_string(i); };
  for (int i = 0; i < kLiving; ++i) table.Intern(name(i));
  std::size_t bytes = 0;
  for (int i = kLiving; i < 100 * kLiving; ++i) {
    const auto oldest = table.Find(name(i - kLiving));
    ASSERT_TRUE(oldest);
    table.Forget(*oldest);
    const std::uint32_t number = table.Intern(name(i));
    ASSERT_LE(number, static_cast<std::uint32_t>(kLiving));
    ASSERT_EQ(table.Find(name(i)), number);
    ASSERT_EQ(table.Find(name(i - kLiving)), std::nullopt);
    if (i == 2 * kLiving) bytes = table.bytes();
  }
  EXPECT_EQ(table.size(), static_cast<std::uint32_t>(kLiving));
  EXPECT_LE(table.bytes(), bytes + 1'000);
}

// Numbers go from name to name while others look names up: whoever holds a guard never meets a number under two names.
TEST(NameTable, ReadersWhileNumbersGoFromNameToName) {
  NameTable table;
  std::atomic<std::uint32_t> newest{0};
  std::atomic<bool> done{false};
  table.Intern("n0");
  std::thread reader([&] {
    while (!done) {
      const RcuReadGuard guard;
      const std::uint32_t seen = newest;
      const std::string name = "n" + std::to_string(seen);
      const auto number = table.Find(name);
      if (!number) continue;  // forgotten meanwhile
      const std::string_view text = table.Name(*number);
      if (!text.empty()) ASSERT_EQ(text, name);
    }
  });
  for (std::uint32_t i = 1; i < 20'000; ++i) {
    table.Intern("n" + std::to_string(i));
    newest = i;
    RcuSynchronize();  // nobody looks at the one before any longer
    table.Forget(*table.Find("n" + std::to_string(i - 1)));
  }
  done = true;
  reader.join();
  EXPECT_LE(table.size(), 3U);
}

TEST(NameTable, ReadersWhileItGrows) {
  NameTable table;
  std::atomic<std::uint32_t> made{0};
  std::thread reader([&] {
    for (std::uint32_t seen = 0; seen < 20'000;) {
      const RcuReadGuard guard;
      seen = made.load();
      if (seen > 0) ASSERT_EQ(table.Find("n" + std::to_string(seen - 1)), seen - 1);
    }
  });
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    table.Intern("n" + std::to_string(i));
    made = i + 1;
  }
  reader.join();
}

}  // namespace
}  // namespace warmline::base
