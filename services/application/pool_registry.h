// The pools that this process serves, each with its index, which follows the pool's change log: changes are applied in
// order of revision, each once, whoever brings them. Thread-safety: `Find` and `Staleness` from any thread, without a
// lock, `Find` under a base::RcuReadGuard; everything else from any thread, one at a time (a mutex sees to it, which is
// not held while the store is read).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "application/clock.h"
#include "application/metrics.h"
#include "application/record_store.h"
#include "application/snapshot_cache.h"
#include "index/pool_index.h"

namespace warmline::application {

class PoolRegistry {
 public:
  using Changes = std::vector<std::pair<std::string, domain::Change>>;

  // Matches are refused for a pool that was last known to be current longer ago than `max_staleness`. Indexes start
  // from `snapshots`, where there is a cache and it has them.
  PoolRegistry(RecordStore& store, const Clock& clock, Metrics& metrics,
               absl::Duration max_staleness = absl::Minutes(10), SnapshotCache* snapshots = nullptr);
  // Only once no reader is left.
  ~PoolRegistry();
  // Bonuses of exploration follow from `secret` (at least 16 bytes) instead of from the store's own, which is another
  // in each store: for what must replay. Before anything else.
  void FixExploration(std::string secret) { exploration_secret_ = std::move(secret); }
  PoolRegistry(const PoolRegistry&) = delete;
  PoolRegistry& operator=(const PoolRegistry&) = delete;

  // Builds every pool's index from the store.
  [[nodiscard]] absl::Status Load();
  // Where the pools' records live.
  [[nodiscard]] RecordStore& store() const { return store_; }
  // The pool's newest view, or null when this process does not hold the pool. Valid while the caller's guard lives.
  [[nodiscard]] const index::View* Find(const std::string& pool) const;

  // Makes what this process committed visible, after what others committed before it, which is read from the log. If
  // the store cannot be read, the pool stays where it is until CatchUp.
  void Apply(const Changes& changes);
  // Applies changes that another process tells of. False when some before them are missing, or the index must be built
  // anew: CatchUp then.
  [[nodiscard]] bool Follow(const std::string& pool, std::vector<domain::Change> changes);
  // Brings a pool to the end of its log as it is now, or makes its index if this process has none. Errors: those of the
  // store; then the pool stays where it is.
  [[nodiscard]] absl::Status CatchUp(const std::string& pool);
  // The revision that a pool is at; 0 for one that this process does not hold.
  [[nodiscard]] std::int64_t Revision(const std::string& pool) const;

  // The index as it is now, for a cache; null for a pool that this process does not hold. Holds up `Apply` for a
  // moment.
  [[nodiscard]] std::unique_ptr<index::SnapshotSource> TakeSnapshot(const std::string& pool) const;
  // The same, once the dictionaries were swept: no name stands in it that only erased members had. Errors: NOT_FOUND
  // (POOL_NOT_FOUND); ABORTED when somebody was erased meanwhile, or while another snapshot is written: try again.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<index::SnapshotSource>> TakePurgedSnapshot(const std::string& pool);
  // The revision at which this process last saw a member erased; 0 when it saw none.
  [[nodiscard]] std::int64_t ErasedRevision(const std::string& pool) const;

  // Of the interests that `statistics` name (null: those that the pool is matched by), the ones that no living helper
  // has but those who are `leaving`, as far as this process knows. Nothing for a pool that it does not hold.
  [[nodiscard]] std::vector<std::string> InterestsWithout(const std::string& pool,
                                                          const std::vector<std::string>& leaving,
                                                          const domain::Statistics* statistics) const;
  // Whether somebody was erased here since the pool's statistics were last made, and they name what nobody has.
  [[nodiscard]] bool HasForgottenInterests(const std::string& pool) const;

  // The pool held everything that the store had at `time`.
  void MarkCurrent(const std::string& pool, absl::Time time);
  // How long ago a pool was last known to be current; zero for one that this process does not hold.
  [[nodiscard]] absl::Duration Staleness(const std::string& pool) const;
  // UNAVAILABLE (REPLICA_STALE) for a pool that nobody should be matched in now.
  [[nodiscard]] absl::Status RequireFresh(const std::string& pool) const;
  // Of the pool that it is longest for.
  [[nodiscard]] absl::Duration MaxStaleness() const;

  // Moves every pool to the hour of the clock, if it is another.
  void Maintain();
  // One large merge of index segments that is due, if there is one; only its beginning and its end hold up `Apply`.
  // For a thread that does nothing else.
  struct Merge {
    absl::Duration took;
    absl::Duration pause;  // for which `Apply` had to wait
  };
  [[nodiscard]] std::optional<Merge> MergeSegments();
  // One sweep of a pool's dictionaries that is due, if there is one: how many names it freed. Only its beginning and
  // its end hold up `Apply`. For the same thread as MergeSegments.
  std::optional<std::uint32_t> SweepDictionaries();
  // The next generation of a pool's statistics. Errors: NOT_FOUND (POOL_NOT_FOUND).
  [[nodiscard]] absl::StatusOr<domain::Statistics> CountStatistics(const std::string& pool) const;
  // The generation that a pool is matched by; 0 for none.
  [[nodiscard]] std::int64_t StatisticsGeneration(const std::string& pool) const;
  // Pools whose statistics no longer say how many helpers there are: none were counted yet, or a quarter came or went
  // since.
  [[nodiscard]] std::vector<std::string> PoolsToCount() const;
  // What a pool's index holds. Errors: NOT_FOUND (POOL_NOT_FOUND).
  [[nodiscard]] absl::StatusOr<index::IndexState> State(const std::string& pool) const;
  [[nodiscard]] PoolTotals Totals() const;
  [[nodiscard]] std::vector<std::string> PoolIds() const;

 private:
  struct Held {
    std::unique_ptr<index::PoolIndex> index;
    std::atomic<std::int64_t> current_at_ms{0};
    std::atomic<std::int64_t> erased_revision{0};
    std::atomic<std::int64_t> statistics_revision{0};
    // The erased_revision after which the statistics were seen to name nothing that nobody has; guarded by mutex_.
    std::int64_t nothing_forgotten_at = 0;
  };
  using Map = absl::flat_hash_map<std::string, Held*>;
  enum class Outcome { kApplied, kMissing, kRebuild };

  [[nodiscard]] Held* HeldOf(const std::string& pool) const;
  // These with mutex_ held.
  Outcome ApplyInOrder(const std::string& pool, std::span<const domain::Change> changes);
  void ApplyToIndex(Held& held, const std::string& pool, std::span<const domain::Change> changes);
  void Install(const std::string& pool, std::unique_ptr<index::PoolIndex> index);
  // The index of a snapshot in the cache; null when there is none that helps.
  [[nodiscard]] std::unique_ptr<index::PoolIndex> FromSnapshot(const std::string& pool);
  // Builds the index anew, to `revision` at least; or, where there was none yet, takes a snapshot, which the log then
  // leads on from.
  [[nodiscard]] absl::Status Rebuild(const std::string& pool, std::int64_t revision);

  RecordStore& store_;
  const Clock& clock_;
  Metrics& metrics_;
  const absl::Duration max_staleness_;
  SnapshotCache* const snapshots_;
  std::string exploration_secret_;
  std::mutex sweeping_;  // one sweep is under way at a time; taken before mutex_
  std::mutex building_;  // one index is built at a time; taken before mutex_
  mutable std::mutex mutex_;
  std::atomic<const Map*> map_;
};

// Adds the names that one index holds.
void AddNames(const index::IndexState& state, PoolTotals& totals);

// NOT_FOUND (POOL_NOT_FOUND), naming the pool.
[[nodiscard]] absl::Status PoolNotFound(const std::string& pool);

}  // namespace warmline::application
