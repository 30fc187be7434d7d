// Keeps the pools of this process at the end of their change logs, whoever writes them: asks the store for the heads
// every interval, whatever else happens, and at once when somebody waits for a revision. One thread of its own.
// Thread-safety: all calls from any thread.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "application/clock.h"
#include "application/metrics.h"
#include "application/pool_registry.h"
#include "application/record_store.h"

namespace warmline::application {

class Follower {
 public:
  Follower(RecordStore& store, PoolRegistry& pools, const Clock& clock, Metrics& metrics, absl::Duration interval);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Asks soon: somebody waits. Calls within kMinBetweenPolls of each other are one.
  void Nudge();
  void Stop();

  static constexpr absl::Duration kMinBetweenPolls = absl::Milliseconds(10);

 private:
  void Loop();
  // Asks for all heads, and brings every pool that is behind to its own.
  void Poll();

  RecordStore& store_;
  PoolRegistry& pools_;
  const Clock& clock_;
  Metrics& metrics_;
  const absl::Duration interval_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool nudged_ = false;    // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace warmline::application
