// A pool's index from the store, whole; and the rows of its change log, whole as well. Pure but for the store; any
// thread.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "application/record_store.h"
#include "index/pool_index.h"

namespace warmline::application {

// Builds an index from one consistent state, at that state's revision, for an epoch (hours since 1970). Null when the
// pool does not exist. Errors: those of the store.
[[nodiscard]] absl::StatusOr<std::unique_ptr<index::PoolIndex>> BuildIndex(RecordStore& store, const std::string& pool,
                                                                           std::int64_t epoch_hour);

// At most this many rows of the log are read at a time.
inline constexpr int kLogPage = 2'000;

// Changes past `after`, in order, at most kLogPage, statistics filled in. FAILED_PRECONDITION when the log alone no
// longer tells them (statistics that are kept no longer): then the index is built anew. Errors: those of the store.
[[nodiscard]] absl::StatusOr<std::vector<domain::Change>> ReadLog(RecordStore& store, const std::string& pool,
                                                                  std::int64_t after);
// Fills in statistics of which only the generation is known. Errors: as ReadLog.
[[nodiscard]] absl::Status FillStatistics(RecordReader& reader, const std::string& pool,
                                          std::vector<domain::Change>& changes);

}  // namespace warmline::application
