// Keeps the pools of this process at the end of their change logs, whoever writes them: asks the store for the heads
// every interval, whatever else happens, and at once when somebody waits for a revision. One thread of its own.
// Thread-safety: all calls from any thread.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

  // Asks soon: somebody waits. Calls within kMinBetweenPolls of each other are one. Returns the number of a poll that
  // begins after this call.
  std::uint64_t Nudge();
  // The newest revision that the store had of a pool, 0 for one that it does not have, as a poll found it that was the
  // `poll`-th or came after it; nothing before there was one that the store answered.
  [[nodiscard]] std::optional<std::int64_t> HeadAt(const std::string& pool, std::uint64_t poll) const;
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
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t begun_ = 0;     // polls; guarded by mutex_
  std::uint64_t answered_ = 0;  // the newest that the store answered, and what it said; guarded by mutex_
  std::vector<std::pair<std::string, std::int64_t>> heads_;
  bool nudged_ = false;    // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace warmline::application
