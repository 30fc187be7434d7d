// Port: where snapshots of indexes are kept, so that a process starts without reading every record. A cache: whatever
// is missing, old or damaged in it only costs time. Adapters: services/cache. Thread-safety: all calls from any thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "index/snapshot.h"

namespace warmline::application {

// What a cache holds of a pool.
struct SnapshotInfo {
  std::int64_t revision = 0;
  std::int64_t generation = 0;  // counts the snapshots of the pool
  absl::Time made;
};

// A snapshot that was read, all but its statistics.
struct LoadedSnapshot {
  std::unique_ptr<index::SnapshotRestorer> restorer;
  std::int64_t revision = 0;
  std::int64_t statistics_generation = 0;
};

class SnapshotCache {
 public:
  virtual ~SnapshotCache() = default;
  // "file" or "redis", for metrics.
  [[nodiscard]] virtual const char* name() const = 0;
  // The newest snapshot of a pool in this history of the store; nothing when there is none that can be read whole.
  // Errors: UNAVAILABLE when the cache cannot be reached.
  [[nodiscard]] virtual absl::StatusOr<std::optional<LoadedSnapshot>> Load(const std::string& pool,
                                                                           std::uint64_t history) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::optional<SnapshotInfo>> Newest(const std::string& pool,
                                                                           std::uint64_t history) = 0;
  // Whether this process is the one that writes the pool's snapshots now; asks for that, and keeps it by asking again.
  [[nodiscard]] virtual bool MayWrite(const std::string& pool) = 0;
  // Writes a snapshot, and puts it in the place of an older one, whole or not at all. With `purge` nothing of older
  // ones stays. Errors: ABORTED when another process wrote a newer one, or somebody was erased meanwhile; UNAVAILABLE.
  [[nodiscard]] virtual absl::Status Save(const std::string& pool, std::uint64_t history,
                                          const index::SnapshotSource& source, bool purge) = 0;
  // Takes away what is kept of a pool, whatever history and format it is of: where it still holds somebody who was
  // erased, and a newer one cannot be written. Errors: UNAVAILABLE.
  [[nodiscard]] virtual absl::Status Drop(const std::string& pool) = 0;
};

}  // namespace warmline::application
