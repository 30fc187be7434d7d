// The pools that this process serves, each with its index. Thread-safety: `Find` from any thread, without a lock, under
// a base::RcuReadGuard; `Load`, `Apply` and `Maintain` by one thread at a time (a mutex sees to it).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "application/clock.h"
#include "application/record_store.h"
#include "index/pool_index.h"

namespace warmline::application {

class PoolRegistry {
 public:
  using Changes = std::vector<std::pair<std::string, domain::Change>>;

  PoolRegistry(RecordStore& store, const Clock& clock);
  // Only once no reader is left.
  ~PoolRegistry();
  PoolRegistry(const PoolRegistry&) = delete;
  PoolRegistry& operator=(const PoolRegistry&) = delete;

  // Builds every pool's index from the store.
  [[nodiscard]] absl::Status Load();
  // The pool's newest view, or null when this process does not hold the pool. Valid while the caller's guard lives.
  [[nodiscard]] const index::View* Find(const std::string& pool) const;
  // Makes committed changes visible. An index that must be rebuilt (new synonyms, half-life) is rebuilt before this
  // returns.
  void Apply(const Changes& changes);
  // Moves every pool to the hour of the clock, if it is another, and tries again what could not be rebuilt.
  void Maintain();
  // One large merge of index segments that is due, if there is one; only its beginning and its end hold up `Apply`.
  // For a thread that does nothing else.
  struct Merge {
    absl::Duration took;
    absl::Duration pause;  // for which `Apply` had to wait
  };
  [[nodiscard]] std::optional<Merge> MergeSegments();
  // The next generation of a pool's statistics. Errors: NOT_FOUND (POOL_NOT_FOUND).
  [[nodiscard]] absl::StatusOr<domain::Statistics> CountStatistics(const std::string& pool) const;
  // Pools whose statistics no longer say how many helpers there are: none were counted yet, or a quarter came or went
  // since.
  [[nodiscard]] std::vector<std::string> PoolsToCount() const;
  // What a pool's index holds. Errors: NOT_FOUND (POOL_NOT_FOUND).
  [[nodiscard]] absl::StatusOr<index::IndexState> State(const std::string& pool) const;
  [[nodiscard]] std::vector<std::string> PoolIds() const;

 private:
  using Map = absl::flat_hash_map<std::string, index::PoolIndex*>;

  [[nodiscard]] absl::StatusOr<std::unique_ptr<index::PoolIndex>> Build(const domain::Pool& pool) const;
  // These two with mutex_ held.
  void ApplyToPool(const std::string& pool, std::span<const domain::Change> changes);
  void Install(const std::string& pool, std::unique_ptr<index::PoolIndex> index);

  RecordStore& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // Pools whose index could not be rebuilt, because the store could not be read: matched by the old synonyms and
  // half-life until then.
  std::vector<std::string> rebuild_pending_;  // guarded by mutex_
  std::atomic<const Map*> map_;
};

// NOT_FOUND (POOL_NOT_FOUND), naming the pool.
[[nodiscard]] absl::Status PoolNotFound(const std::string& pool);

}  // namespace warmline::application
