// A few threads for work that may wait on the disk, behind a bounded queue. Thread-safety: all calls from any thread.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>

#include <deque>
#include <functional>
#include <thread>
#include <vector>

namespace warmline::application {

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
  absl::Mutex mutex_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace warmline::application
