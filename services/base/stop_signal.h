// Tells a thread that it is time to end, wherever it waits. Thread-safety: all calls from any thread.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <mutex>

namespace warmline::base {

class StopSignal {
 public:
  void Set() {
    {
      const std::lock_guard lock(mutex_);
      set_ = true;
    }
    changed_.notify_all();
  }
  // True when it was set by then; waits no longer than until it is.
  [[nodiscard]] bool IsSetWithin(absl::Duration wait) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, absl::ToChronoNanoseconds(wait), [this] { return set_; });
  }
  [[nodiscard]] bool IsSet() { return IsSetWithin(absl::ZeroDuration()); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;  // guarded by mutex_
};

}  // namespace warmline::base
