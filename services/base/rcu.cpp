#include "base/rcu.h"

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace warmline::base {
namespace {

constexpr std::uint64_t kIdle = 0;

struct alignas(64) Slot {
  std::atomic<std::uint64_t> epoch{kIdle};
  std::atomic<bool> owned{false};
};

struct Retired {
  std::uint64_t epoch;
  std::function<void()> free;
};

struct State {
  std::atomic<std::uint64_t> epoch{1};
  std::array<Slot, kMaxRcuReaderThreads> slots;
  std::atomic<std::int64_t> overflow_readers{0};
  std::mutex mutex;
  std::deque<Retired> retired;  // guarded by mutex, in epoch order
};

State& Global() {
  static State* state = new State;  // outlives every thread's slot
  return *state;
}

// The slot of a thread, given back when the thread ends.
struct ThreadSlot {
  Slot* slot = nullptr;
  int depth = 0;

  ThreadSlot() {
    for (Slot& s : Global().slots) {
      bool expected = false;
      if (!s.owned.load(std::memory_order_relaxed) && s.owned.compare_exchange_strong(expected, true)) {
        slot = &s;
        return;
      }
    }
  }
  ~ThreadSlot() {
    if (slot != nullptr) slot->owned.store(false);
  }
  ThreadSlot(const ThreadSlot&) = delete;
  ThreadSlot& operator=(const ThreadSlot&) = delete;
};

ThreadSlot& Mine() {
  thread_local ThreadSlot slot;
  return slot;
}

// The smallest epoch that a reader may be in; every object retired in an older one is free.
std::uint64_t OldestReader(State& state) {
  if (state.overflow_readers.load(std::memory_order_seq_cst) > 0) return 0;
  std::uint64_t oldest = UINT64_MAX;
  for (const Slot& slot : state.slots) {
    const std::uint64_t e = slot.epoch.load(std::memory_order_seq_cst);
    if (e != kIdle && e < oldest) oldest = e;
  }
  return oldest;
}

void FreeUnreachable(State& state) {
  std::vector<std::function<void()>> ready;
  {
    const std::lock_guard lock(state.mutex);
    const std::uint64_t oldest = OldestReader(state);
    while (!state.retired.empty() && state.retired.front().epoch < oldest) {
      ready.push_back(std::move(state.retired.front().free));
      state.retired.pop_front();
    }
  }
  for (auto& free : ready) free();
}

}  // namespace

RcuReadGuard::RcuReadGuard() {
  ThreadSlot& mine = Mine();
  if (mine.depth++ > 0) return;
  State& state = Global();
  if (mine.slot == nullptr) {
    state.overflow_readers.fetch_add(1, std::memory_order_seq_cst);
  } else {
    mine.slot->epoch.store(state.epoch.load(std::memory_order_seq_cst), std::memory_order_seq_cst);
  }
}

RcuReadGuard::~RcuReadGuard() {
  ThreadSlot& mine = Mine();
  if (--mine.depth > 0) return;
  if (mine.slot == nullptr) {
    Global().overflow_readers.fetch_sub(1, std::memory_order_seq_cst);
  } else {
    mine.slot->epoch.store(kIdle, std::memory_order_release);
  }
}

void RcuRetire(std::function<void()> free) {
  State& state = Global();
  {
    const std::lock_guard lock(state.mutex);
    const std::uint64_t epoch = state.epoch.fetch_add(1, std::memory_order_seq_cst);
    state.retired.push_back({epoch, std::move(free)});
  }
  FreeUnreachable(state);
}

std::uint64_t RcuStamp() { return Global().epoch.fetch_add(1, std::memory_order_seq_cst); }

bool RcuHasPassed(std::uint64_t stamp) { return OldestReader(Global()) > stamp; }

void RcuSynchronize() {
  const std::uint64_t stamp = RcuStamp();
  while (!RcuHasPassed(stamp)) std::this_thread::sleep_for(std::chrono::microseconds(50));
  FreeUnreachable(Global());
}

}  // namespace warmline::base
