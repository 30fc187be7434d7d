// A few threads that do queued work, with the decisions of backlog.h. Thread-safety: all calls from any thread.
#pragma once

#include <absl/status/status.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "admission/work_queue.h"

namespace warmline::admission {

class WorkPool {
 public:
  // Called once, on a thread of the pool: with OK to do the work, or with the error that refuses it.
  using Work = std::function<void(const absl::Status&)>;
  // Hears of refusals, with the pool's lock held: cheap.
  using OnRefused = std::function<void(Lane, Refusal)>;

  WorkPool(const BacklogLimits& limits, OnRefused on_refused);
  // Finishes what is queued.
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  // Errors (then `work` is never called): RESOURCE_EXHAUSTED (OVERLOADED), with the time after which to retry;
  // DEADLINE_EXCEEDED; UNAVAILABLE (DRAINING) after Stop.
  [[nodiscard]] absl::Status Submit(const WorkOrder& order, Work work);
  void Stop();
  [[nodiscard]] LaneReading Reading(Lane lane) const;

 private:
  void Loop();

  const OnRefused on_refused_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  WorkQueue<Work> queue_;  // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  int idle_ = 0;           // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace warmline::admission
