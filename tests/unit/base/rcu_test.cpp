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

TEST(NameTable, NumbersStayAndForgottenNamesAreGone) {
  NameTable table;
  const RcuReadGuard guard;
  for (std::uint32_t i = 0; i < 5'000; ++i) ASSERT_EQ(table.Intern("name-" + std::to_string(i)), i);
  for (std::uint32_t i = 0; i < 5'000; ++i) ASSERT_EQ(table.Find("name-" + std::to_string(i)), i);
  EXPECT_EQ(table.Intern("name-7"), 7U);
  table.Forget(7);
  EXPECT_EQ(table.Find("name-7"), std::nullopt);
  EXPECT_EQ(table.Name(7), "");
  EXPECT_EQ(table.Intern("name-7"), 5'000U);
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
