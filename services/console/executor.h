// A few threads that answer requests of the operations port, behind a bounded queue. Thread-safety: all calls from any
// thread.
#pragma once

#include <absl/status/status.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace warmline::console {

class Executor {
 public:
  Executor(int threads, std::size_t max_waiting);
  // Finishes what is queued.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Errors (then `work` never runs): RESOURCE_EXHAUSTED (OVERLOADED), UNAVAILABLE (DRAINING) after Stop.
  [[nodiscard]] absl::Status Submit(std::function<void()> work);
  void Stop();

 private:
  void Loop();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  bool stopping_ = false;                      // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace warmline::console
