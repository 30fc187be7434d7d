// A search allocates nothing once its memory has grown: counted by the program's own operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "base/rcu.h"
#include "index/pool_index.h"
#include "index/search.h"
#include "simulation/community.h"

namespace {
std::atomic<std::int64_t> allocations{0};
}

// Not inlined, since GCC 12 would take malloc and delete for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace warmline::index {
namespace {

TEST(Search, AllocatesNothingOnceWarm) {
  const simulation::Community community({.helpers = 20'000});
  domain::Pool pool;
  pool.id = "p";
  PoolIndex index(pool, 490'000);
  {
    PoolIndex::Loader loader(index);
    for (int i = 0; i < 20'000; ++i) loader.Add(community.HelperAt(i));
    for (int i = 0; i < 20'000; ++i) {
      for (const auto& tie : community.TiesOf(i)) loader.Add(tie);
    }
    loader.Finish(1);
  }
  const std::vector<domain::Change> statistics = {{2, index.CountStatistics(1)}};
  index.Apply(statistics);
  std::vector<domain::Change> few;  // a small segment besides
  for (int i = 0; i < 50; ++i) few.push_back({3, community.HelperAt(i * 17)});
  index.Apply(few);

  std::vector<domain::Need> needs;
  for (int i = 0; i < 50; ++i) {
    domain::Need need = community.NeedAt(i);
    need.constraints.languages = {"en", "es"};
    need.constraints.places = {"xx/city3"};
    need.constraints.remote_ok = true;
    need.constraints.exclude_members = {"h1", "h2"};
    needs.push_back(std::move(need));
  }
  const StopCheck stop = [] { return absl::OkStatus(); };
  const base::RcuReadGuard guard;
  Search search;
  for (const domain::Need& need : needs) ASSERT_TRUE(search.Run(index.view(), need, 10, false, stop).ok());
  const std::int64_t before = allocations;
  std::size_t ranked = 0;
  for (const domain::Need& need : needs) {
    ASSERT_TRUE(search.Run(index.view(), need, 10, false, stop).ok());
    ranked += search.Ranked().size();
  }
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(ranked, 500U);
}

}  // namespace
}  // namespace warmline::index
