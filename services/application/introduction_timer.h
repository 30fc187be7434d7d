// What time does to introductions: looks for those where something is due, and submits a write for each, which decides
// inside its transaction whether it still is. Every replica may run one: what another did is not due any longer. One
// thread of its own. Thread-safety: all calls from any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "application/clock.h"
#include "application/metrics.h"
#include "application/record_store.h"
#include "application/write_queue.h"

namespace warmline::application {

class IntroductionTimer {
 public:
  IntroductionTimer(RecordStore& store, WriteQueue& writes, const Clock& clock, Metrics& metrics);
  ~IntroductionTimer();
  IntroductionTimer(const IntroductionTimer&) = delete;
  IntroductionTimer& operator=(const IntroductionTimer&) = delete;

  void Stop();

  // How often it looks, and how many it takes at once: more are done in the next round, which follows at once.
  static constexpr absl::Duration kInterval = absl::Milliseconds(500);
  static constexpr int kMaxAtOnce = 500;

 private:
  void Loop();
  // Does what is due, up to kMaxAtOnce; false when there may be more.
  bool Round();

  RecordStore& store_;
  WriteQueue& writes_;
  const Clock& clock_;
  Metrics& metrics_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int under_way_ = 0;      // guarded by mutex_
  bool failed_ = false;    // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace warmline::application
