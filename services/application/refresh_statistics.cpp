#include "application/refresh_statistics.h"

#include <algorithm>

namespace warmline::application {

absl::StatusOr<std::int64_t> RefreshStatistics(WriteTransaction& tx, const PoolRegistry& pools,
                                               const std::string& pool) {
  auto statistics = pools.CountStatistics(pool);
  if (!statistics.ok()) return statistics.status();
  // Another process may have counted since: a generation never changes.
  auto newest = tx.NewestGeneration(pool);
  if (!newest.ok()) return newest.status();
  statistics->generation = std::max(statistics->generation, *newest + 1);
  return tx.Put(pool, *statistics);
}

}  // namespace warmline::application
