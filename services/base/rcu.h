// Epoch-based reclamation (Fraser, "Practical lock-freedom", 2004): readers never lock and never wait; a writer
// replaces a pointer and hands the old object to `RcuRetire`, which frees it once no reader can still hold it.
// Thread-safety: everything here may be called from any thread. A guard belongs to the thread that made it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace warmline::base {

// More threads than this may read at once, but while they do nothing is freed.
inline constexpr int kMaxRcuReaderThreads = 1024;

// While one lives, nothing that the thread can reach through an RCU pointer is freed. May be nested. Costs two stores.
class RcuReadGuard {
 public:
  RcuReadGuard();
  ~RcuReadGuard();
  RcuReadGuard(const RcuReadGuard&) = delete;
  RcuReadGuard& operator=(const RcuReadGuard&) = delete;
};

// Runs `free` after every guard that exists now has ended: at once, or in a later call of RcuRetire or RcuSynchronize.
void RcuRetire(std::function<void()> free);

// Deletes `object` after every guard that exists now has ended. Null is fine.
template <typename T>
void RcuRetireObject(const T* object) {
  if (object != nullptr) RcuRetire([object] { delete object; });
}

// For something that may only be done once nobody can still see what came before: a stamp of now, and whether every
// guard that existed then has ended.
[[nodiscard]] std::uint64_t RcuStamp();
[[nodiscard]] bool RcuHasPassed(std::uint64_t stamp);

// Waits until every guard that exists now has ended, and frees what was retired before. Not to be called under a guard.
void RcuSynchronize();

}  // namespace warmline::base
