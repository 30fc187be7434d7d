// Snapshots in Redis: immutable blocks named by the hash of what is in them, spread over all slots, and a manifest a
// pool that is swapped whole by a script, by whoever holds the pool's lease. docs/redis.md is the schema.
// Thread-safety: as application::SnapshotCache says (a mutex: calls wait for each other).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "application/clock.h"
#include "application/metrics.h"
#include "application/snapshot_cache.h"
#include "cache/manifest.h"
#include "cache/redis/client.h"

namespace warmline::cache::redis {

struct SnapshotsOptions {
  // How long blocks and manifests live without being refreshed by the holder of the lease.
  absl::Duration time_to_live = absl::Hours(24);
  // How long blocks of a generation that was replaced stay, for replicas that read it.
  absl::Duration grace = absl::Minutes(10);
  // Of the lease; renewed at each look of the holder.
  absl::Duration lease = absl::Seconds(10);
};

class Snapshots : public application::SnapshotCache {
 public:
  Snapshots(const Config& config, const application::Clock& clock, application::Metrics& metrics,
            const SnapshotsOptions& options = {});

  ~Snapshots() override;

  const char* name() const override { return "redis"; }
  absl::StatusOr<std::optional<application::LoadedSnapshot>> Load(const std::string& pool,
                                                                  std::uint64_t history) override;
  absl::StatusOr<std::optional<application::SnapshotInfo>> Newest(const std::string& pool,
                                                                  std::uint64_t history) override;
  bool MayWrite(const std::string& pool) override;
  absl::Status Save(const std::string& pool, std::uint64_t history, const index::SnapshotSource& source,
                    bool purge) override;
  absl::Status Drop(const std::string& pool) override;

 private:
  struct Batch;

  [[nodiscard]] std::string PoolKey(const std::string& pool, const char* what) const;
  [[nodiscard]] std::string BlockKey(const std::string& pool, const std::string& hash) const;
  // Nothing when there is none, or it cannot be read.
  absl::StatusOr<std::optional<Manifest>> ReadManifest(const std::string& pool);
  // Counts, and takes the snapshot away, so that a new one takes its place.
  void Damaged(const std::string& pool, const Manifest& manifest, const char* what);
  // Whether all blocks are there; they live on.
  absl::StatusOr<bool> Refresh(const std::string& pool, const Manifest& manifest);
  absl::Status SendMissing(const std::string& pool, Batch& batch);
  absl::Status Swap(const std::string& pool, const Manifest& manifest);
  // What is no longer needed of an older generation: at once, or, in `after`, later.
  [[nodiscard]] std::vector<std::string> Retire(const std::optional<Manifest>& before, bool purge,
                                                Manifest& after) const;
  void DeleteBlocks(const std::string& pool, const std::vector<std::string>& hashes);

  const SnapshotsOptions options_;
  const application::Clock& clock_;
  application::Metrics& metrics_;
  const std::string me_;  // of this process, in leases
  std::mutex mutex_;
  Client client_;                                           // guarded by mutex_
  absl::flat_hash_map<std::string, std::string> leases_;    // values of those held; guarded by mutex_
  absl::flat_hash_map<std::string, absl::Time> refreshed_;  // guarded by mutex_
};

}  // namespace warmline::cache::redis
