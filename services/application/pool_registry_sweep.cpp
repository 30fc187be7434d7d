// PoolRegistry: dictionaries that hold no more than what is used.
#include "application/pool_registry.h"

namespace warmline::application {

std::optional<std::uint32_t> PoolRegistry::SweepDictionaries() {
  const std::lock_guard one(sweeping_);
  std::string pool;
  std::unique_ptr<index::DictionarySweep> sweep;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, held] : *map_.load()) {
      sweep = held->index->StartSweep();
      pool = id;
      if (sweep != nullptr) break;
    }
  }
  if (sweep == nullptr) return std::nullopt;
  sweep->Run();
  const std::lock_guard lock(mutex_);
  // The index may have been rebuilt meanwhile; then it knows nothing of the sweep, and does nothing.
  return map_.load()->at(pool)->index->FinishSweep(*sweep);
}

absl::StatusOr<std::unique_ptr<index::SnapshotSource>> PoolRegistry::TakePurgedSnapshot(const std::string& pool) {
  const std::lock_guard one(sweeping_);
  std::unique_ptr<index::DictionarySweep> sweep;
  std::int64_t erased = 0;
  {
    const std::lock_guard lock(mutex_);
    const Held* held = HeldOf(pool);
    if (held == nullptr) return PoolNotFound(pool);
    erased = held->erased_revision;
    sweep = held->index->SweepNow();
  }
  if (sweep == nullptr) return absl::AbortedError("another snapshot of the pool is being written");
  sweep->Run();
  const std::lock_guard lock(mutex_);
  const Held* held = HeldOf(pool);
  if (!held->index->FinishSweep(*sweep)) return absl::AbortedError("the index was made anew, or is being read");
  // Whoever was erased since the sweep began still counted for it.
  if (held->erased_revision != erased) return absl::AbortedError("a member was erased during the sweep");
  return std::make_unique<index::SnapshotSource>(*held->index);
}

void AddNames(const index::IndexState& state, PoolTotals& totals) {
  const auto add = [](const index::IndexState::Names& names, NameTotals& sum) {
    sum.used += names.used;
    sum.free += names.free;
  };
  add(state.member_names, totals.member_names);
  add(state.need_names, totals.need_names);
  add(state.interest_names, totals.interest_names);
  add(state.set_names, totals.set_names);
  add(state.combination_names, totals.combination_names);
}

}  // namespace warmline::application
