// PoolRegistry: what the pools hold, counted.
#include <algorithm>

#include "application/index_builder.h"
#include "application/pool_registry.h"
#include "base/rcu.h"

namespace warmline::application {

std::vector<std::string> PoolRegistry::InterestsWithout(const std::string& pool,
                                                        const std::vector<std::string>& leaving,
                                                        const domain::Statistics* statistics) const {
  const std::lock_guard lock(mutex_);
  const Held* held = HeldOf(pool);
  return held == nullptr ? std::vector<std::string>() : held->index->InterestsWithout(leaving, statistics);
}

bool PoolRegistry::HasForgottenInterests(const std::string& pool) const {
  const std::lock_guard lock(mutex_);
  Held* held = HeldOf(pool);
  if (held == nullptr) return false;
  const std::int64_t erased = held->erased_revision;
  // It is asked each second: all interests are gone through once for each erasure.
  if (erased <= held->statistics_revision || erased == held->nothing_forgotten_at) return false;
  if (!held->index->InterestsWithout({}, nullptr).empty()) return true;
  held->nothing_forgotten_at = erased;
  return false;
}

absl::StatusOr<domain::Statistics> PoolRegistry::CountStatistics(const std::string& pool) const {
  const std::lock_guard lock(mutex_);
  const Held* held = HeldOf(pool);
  if (held == nullptr) return PoolNotFound(pool);
  std::int64_t generation = 0;
  {
    const base::RcuReadGuard guard;
    generation = held->index->view().statistics->generation() + 1;
  }
  return held->index->CountStatistics(generation);
}

std::int64_t PoolRegistry::StatisticsGeneration(const std::string& pool) const {
  const base::RcuReadGuard guard;
  const index::View* view = Find(pool);
  return view == nullptr ? 0 : view->statistics->generation();
}

std::vector<std::string> PoolRegistry::PoolsToCount() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> pools;
  for (const auto& [id, held] : *map_.load()) {
    const std::int64_t helpers = held->index->State().helpers;
    const base::RcuReadGuard guard;
    const auto counted = static_cast<std::int64_t>(held->index->view().statistics->helpers());
    const std::int64_t change = helpers > counted ? helpers - counted : counted - helpers;
    if (change > 0 && (counted == 0 || change * 4 >= counted)) pools.push_back(id);
  }
  return pools;
}

absl::StatusOr<index::IndexState> PoolRegistry::State(const std::string& pool) const {
  const std::lock_guard lock(mutex_);
  const Held* held = HeldOf(pool);
  if (held == nullptr) return PoolNotFound(pool);
  return held->index->State();
}

PoolTotals PoolRegistry::Totals() const {
  PoolTotals totals;
  const std::int64_t hour = EpochHour(clock_.Now());
  for (const std::string& id : PoolIds()) {
    const auto state = State(id);
    if (!state.ok()) continue;
    ++totals.pools;
    totals.members += state->members;
    totals.helpers += state->helpers;
    totals.bytes += state->bytes.All();
    totals.segments += state->segments;
    totals.dead_documents += state->dead_documents;
    totals.open_needs += state->open_needs;
    totals.ties += state->directed_ties;
    AddNames(*state, totals);
    totals.epoch_lag_hours = std::max(totals.epoch_lag_hours, hour - state->epoch_hour);
  }
  return totals;
}

}  // namespace warmline::application
