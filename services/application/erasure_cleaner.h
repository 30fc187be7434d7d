// What is left to do once an erasure is committed: the store takes away what its files still hold, and statistics
// forget what erasures on two replicas at once left in them. Looks every second, on a thread of its own; where another
// process does it, it only looks. Thread-safety: all calls from any thread.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "application/clock.h"
#include "application/metrics.h"
#include "application/pool_registry.h"
#include "application/record_store.h"
#include "application/snapshot_cache.h"
#include "application/write_queue.h"
#include "base/stop_signal.h"

namespace warmline::application {

class ErasureCleaner {
 public:
  static constexpr absl::Duration kInterval = absl::Seconds(1);
  // Parts of the cleaning that one look does (RecordStore::CleanErased).
  static constexpr int kMaxParts = 64;

  // `snapshots` may be null: there is no cache.
  ErasureCleaner(RecordStore& store, const PoolRegistry& pools, WriteQueue& writes, SnapshotCache* snapshots,
                 const Clock& clock, Metrics& metrics, absl::Duration interval = kInterval);
  ~ErasureCleaner();
  ErasureCleaner(const ErasureCleaner&) = delete;
  ErasureCleaner& operator=(const ErasureCleaner&) = delete;
  void Stop();

  // Nothing of the member is left in the store's files, in its statistics, and in the cache, as far as this process can
  // tell.
  [[nodiscard]] bool IsDone(const std::string& pool, const ErasureRecord& erasure) const;

 private:
  void Loop();
  void Look();

  RecordStore& store_;
  const PoolRegistry& pools_;
  WriteQueue& writes_;
  SnapshotCache* const snapshots_;
  const Clock& clock_;
  Metrics& metrics_;
  const absl::Duration interval_;
  base::StopSignal stop_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace warmline::application
