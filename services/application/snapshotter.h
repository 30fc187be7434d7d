// Keeps the snapshots of pools fresh: every interval for those that changed, and soon after somebody was erased, so
// that nothing of them stays in a cache. One thread of its own. Thread-safety: all calls from any thread.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "application/clock.h"
#include "application/metrics.h"
#include "application/pool_registry.h"
#include "application/snapshot_cache.h"

namespace warmline::application {

struct SnapshotSchedule {
  // Between two snapshots of a pool that changes.
  absl::Duration interval = absl::Minutes(1);
  // How often pools are looked at; so long an erased member may stay in the cache, beside the time to write.
  absl::Duration look = absl::Seconds(1);
  // Whether what changed is saved when the process ends.
  bool save_at_end = false;
};

class Snapshotter {
 public:
  Snapshotter(SnapshotCache& cache, PoolRegistry& pools, const RecordStore& store, const Clock& clock, Metrics& metrics,
              const SnapshotSchedule& schedule);
  ~Snapshotter();
  Snapshotter(const Snapshotter&) = delete;
  Snapshotter& operator=(const Snapshotter&) = delete;

  void Stop();

 private:
  struct Known {
    std::int64_t saved_revision = 0;  // as far as this process knows
    absl::Time looked;
  };
  void Loop();
  void Look(bool at_end);
  void LookAt(const std::string& pool, Known& known, bool at_end);

  SnapshotCache& cache_;
  PoolRegistry& pools_;
  const std::uint64_t history_;
  const Clock& clock_;
  Metrics& metrics_;
  const SnapshotSchedule schedule_;
  std::map<std::string, Known> known_;  // the thread's
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace warmline::application
