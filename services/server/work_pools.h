// The threads that do the work of calls, each pool behind a queue of its own, and what operators see of the queues.
// Thread-safety: Report and WritesServed from any thread; Stop by one.
#pragma once

#include <memory>

#include "admission/work_pool.h"
#include "application/clock.h"
#include "application/metrics.h"
#include "application/write_queue.h"

namespace warmline::server {

class WorkPools {
 public:
  // `match_threads` 0: one for each processor.
  WorkPools(int match_threads, int read_threads, application::Metrics& metrics);

  admission::WorkPool& matching() { return matching_; }    // what needs a processor
  admission::WorkPool& reads() { return reads_; }          // what may wait for the disk
  admission::WorkPool& long_work() { return long_work_; }  // what takes seconds: one at a time

  // Publishes how much waits where, and for how long.
  void Report(const application::WriteQueue& writes) const;

 private:
  application::Metrics& metrics_;
  admission::WorkPool matching_;
  admission::WorkPool reads_;
  admission::WorkPool long_work_;
};

// Whether writes are taken: none has waited for long, the last one that was tried could be kept, and the store
// answered lately (`staleness`).
[[nodiscard]] bool WritesServed(const application::WriteQueue& writes, absl::Duration staleness,
                                absl::Duration poll_interval);

}  // namespace warmline::server
