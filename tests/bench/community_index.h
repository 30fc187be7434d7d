// An index of a simulated community, as benches use it. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "index/matcher.h"
#include "index/pool_index.h"
#include "simulation/community.h"

namespace warmline::bench {

inline constexpr std::int64_t kEpochHour = 1'790'000'000 / 3600;
inline constexpr int kTopK = 10;

// Helpers 0 to `helpers` - 1, what `load` adds to them, and statistics of generation 1.
template <typename Load>
[[nodiscard]] std::unique_ptr<index::PoolIndex> MakeIndex(const simulation::Community& community, std::int64_t helpers,
                                                          Load load) {
  domain::Pool pool;
  pool.id = "bench";
  auto index = std::make_unique<index::PoolIndex>(pool, kEpochHour);
  {
    index::PoolIndex::Loader loader(*index);
    for (std::int64_t i = 0; i < helpers; ++i) loader.Add(community.HelperAt(i));
    load(loader);
    loader.Finish(1);
  }
  const std::vector<domain::Change> statistics = {{2, index->CountStatistics(1)}};
  index->Apply(statistics);
  return index;
}
[[nodiscard]] inline std::unique_ptr<index::PoolIndex> MakeIndex(const simulation::Community& community,
                                                                 std::int64_t helpers) {
  return MakeIndex(community, helpers, [](auto&) {});
}

[[nodiscard]] inline absl::StatusOr<index::MatchResult> Answer(const index::View& view, const domain::Need& need) {
  return index::Match(view, need, {.top_k = kTopK}, [] { return absl::OkStatus(); });
}

}  // namespace warmline::bench
