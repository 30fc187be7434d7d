// Snapshots in files beside the embedded database, one a pool: read through a memory map, checked piece by piece, and
// replaced whole. Thread-safety: as application::SnapshotCache says.
#pragma once

#include <mutex>
#include <string>

#include "application/clock.h"
#include "application/metrics.h"
#include "application/snapshot_cache.h"

namespace warmline::cache::file {

class SnapshotFiles : public application::SnapshotCache {
 public:
  // `directory` is made when it is missing.
  SnapshotFiles(std::string directory, const application::Clock& clock, application::Metrics& metrics);

  const char* name() const override { return "file"; }
  absl::StatusOr<std::optional<application::LoadedSnapshot>> Load(const std::string& pool,
                                                                  std::uint64_t history) override;
  absl::StatusOr<std::optional<application::SnapshotInfo>> Newest(const std::string& pool,
                                                                  std::uint64_t history) override;
  bool MayWrite(const std::string&) override { return true; }  // the directory is this process's
  absl::Status Save(const std::string& pool, std::uint64_t history, const index::SnapshotSource& source,
                    bool purge) override;
  absl::Status Drop(const std::string& pool) override;

 private:
  // Counts a file that is damaged, and removes it, so that a new one takes its place.
  void Discard(const std::string& pool, const char* what);
  [[nodiscard]] std::string PathOf(const std::string& pool) const { return directory_ + "/" + pool + ".snapshot"; }

  const std::string directory_;
  const application::Clock& clock_;
  application::Metrics& metrics_;
  std::mutex writing_;
};

}  // namespace warmline::cache::file
