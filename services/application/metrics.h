// Port: what happens, told to whoever counts it. No call carries a member's id or free text, but for interests that
// enough seekers ask for (application/market_health.h). Thread-safety: all calls
// from any thread; cheap.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "application/market_health.h"

namespace warmline::application {

// Names that indexes hold by number, and numbers that wait for another name.
struct NameTotals {
  std::int64_t used = 0;
  std::int64_t free = 0;
};

// Over all pools.
struct PoolTotals {
  std::int64_t pools = 0;
  std::int64_t members = 0;
  std::int64_t helpers = 0;
  std::int64_t bytes = 0;
  std::int64_t segments = 0;
  std::int64_t dead_documents = 0;  // that no merge has taken out yet
  std::int64_t open_needs = 0;
  std::int64_t ties = 0;             // directed
  std::int64_t epoch_lag_hours = 0;  // of the pool that is the most behind the clock
  NameTotals member_names;
  NameTotals need_names;
  NameTotals interest_names;
  NameTotals set_names;
  NameTotals combination_names;
  std::int64_t store_cache_bytes = 0;  // RecordStore::cache_bytes
};

class Metrics {
 public:
  virtual ~Metrics() = default;
  // A call ended. `method` is a full rpc name of the API, `code` a canonical status code's name.
  virtual void CallEnded(const char* method, const char* code, absl::Duration took) = 0;
  // Work was refused before it began: why (api/place.h, admission/backlog.h), and the lane that it would have used.
  virtual void WorkRefused(const char* reason, const char* lane) = 0;
  // What waits in one lane of a queue ("matching", "reads", "long" or "writes") at the moment.
  virtual void QueueSeen(const char* queue, const char* lane, std::int64_t waiting, absl::Duration oldest) = 0;
  // Whether writes are taken: the store answers, and its queue moves.
  virtual void WritesServed(bool served) = 0;
  // Connections of a port ("api" or "operations") that are open, and those of them on which no call was answered for
  // an accepted token yet. A connection was refused, or ended because it broke a limit.
  virtual void ConnectionsHeld(const char* port, std::int64_t open, std::int64_t strangers) = 0;
  virtual void ConnectionRefused(const char* port, const char* reason) = 0;
  // A call ended with an error of a published reason.
  virtual void CallFailed(const char* method, const std::string& reason) = 0;
  // An entry of the audit log was written, or lost: the disk refused it, or too many waited.
  virtual void Audited(bool kept) = 0;
  // A match was answered: of the candidates found in lists, those whose interests were weighed, and those shown.
  virtual void Matched(std::int64_t touched, std::int64_t weighed, std::int64_t ranked, absl::Duration took) = 0;
  // A group commit ended.
  virtual void BatchCommitted(std::int64_t items, bool durable, absl::Duration took) = 0;
  virtual void WritesWaiting(std::int64_t count) = 0;
  // Rows of an import, kept or refused.
  virtual void RowsImported(std::int64_t kept, std::int64_t refused) = 0;
  // Segments of an index were merged; writes waited for `pause` of it.
  virtual void SegmentsMerged(absl::Duration took, absl::Duration pause) = 0;
  // The store was asked for its heads: whether everything could be read, and how far behind the stalest pool may be.
  virtual void StorePolled(bool reached, absl::Duration staleness) = 0;
  // Changes that others committed were applied, from the feed or else from the log.
  virtual void ChangesFollowed(std::int64_t changes, bool from_feed) = 0;
  // What others told through the feed had gaps, or did not fit: the log was read. Rows that were not told to others.
  virtual void FeedGap() = 0;
  virtual void FeedDropped(std::int64_t rows) = 0;
  // Redis was lost, or found again, by one of its users: "cache", "feed_publisher", "feed_subscriber" or "replicas".
  virtual void CacheReachable(const char* use, bool reachable) = 0;
  // A pool could not be brought to the end of its log.
  virtual void CatchUpFailed() = 0;
  // Something was due of an introduction (an expiry, the end of a cool-down…): it was done, or could not be.
  virtual void DueMoveMade(bool ok) = 0;
  // A batch of events was taken by a backend service, or not.
  virtual void EventsSent(bool ok) = 0;
  // Members and introductions that were announced, or erased, for being unused; or that could not be.
  virtual void RetentionDone(std::int64_t announced, std::int64_t erased, std::int64_t failed) = 0;
  // Whether the store's files hold nothing of erased members any more, as far as this process can tell; and the room
  // that is kept back for erasures on a full disk.
  virtual void ErasuresCleaned(bool clean, std::int64_t reserve_bytes) = 0;
  // A snapshot could not be read whole from a cache ("file" or "redis"): its manifest, or a piece that is missing or
  // corrupt.
  virtual void SnapshotDamaged(const char* cache, const char* what) = 0;
  // A snapshot was read, or not, because there was none or it was damaged; it was written, or not; and of how many
  // bytes how many had to be sent.
  virtual void SnapshotLoaded(const char* cache, bool found, absl::Duration took) = 0;
  virtual void SnapshotWritten(const char* cache, bool ok, absl::Duration took) = 0;
  virtual void SnapshotSaved(const char* cache, std::int64_t bytes, std::int64_t sent) = 0;
  // Pools of whose erased members the cache may still hold something.
  virtual void SnapshotPurgesPending(std::int64_t pools) = 0;
  // An index was built from the store.
  virtual void IndexBuilt(bool ok, absl::Duration took) = 0;
  virtual void PoolsHeld(const PoolTotals& totals) = 0;
  // A pool's market was counted anew; all pools were, of which so many were left out, and those that are gone are
  // forgotten.
  virtual void MarketMeasured(const std::string& pool, const MarketHealth& health, absl::Time now) = 0;
  virtual void MarketsMeasured(const std::vector<std::string>& pools, std::int64_t left_out) = 0;
};

}  // namespace warmline::application
