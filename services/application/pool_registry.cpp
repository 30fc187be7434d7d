#include "application/pool_registry.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/rcu.h"
#include "domain/error.h"

namespace warmline::application {
namespace {

// Records read from the store at a time.
constexpr int kLoadPage = 10'000;

}  // namespace

absl::Status PoolNotFound(const std::string& pool) {
  return domain::MakeError(domain::ErrorReason::kPoolNotFound,
                           absl::StrCat("pools/", pool, " does not exist: create it, or check the name"));
}

PoolRegistry::PoolRegistry(RecordStore& store, const Clock& clock) : store_(store), clock_(clock), map_(new Map) {}

PoolRegistry::~PoolRegistry() {
  const Map* map = map_.load();
  for (const auto& [id, index] : *map) delete index;
  delete map;
}

const index::View* PoolRegistry::Find(const std::string& pool) const {
  const Map* map = map_.load(std::memory_order_seq_cst);
  const auto found = map->find(pool);
  return found == map->end() ? nullptr : &found->second->view();
}

std::vector<std::string> PoolRegistry::PoolIds() const {
  const base::RcuReadGuard guard;
  std::vector<std::string> ids;
  for (const auto& [id, index] : *map_.load(std::memory_order_seq_cst)) ids.push_back(id);
  return ids;
}

absl::Status PoolRegistry::Load() {
  const std::lock_guard lock(mutex_);
  std::string after;
  while (true) {
    auto reader = store_.Read();
    if (!reader.ok()) return reader.status();
    auto pools = (*reader)->ListPools(after, kLoadPage);
    if (!pools.ok()) return pools.status();
    if (pools->empty()) return absl::OkStatus();
    for (const domain::Pool& pool : *pools) {
      auto index = Build(pool);
      if (!index.ok()) return index.status();
      Install(pool.id, *std::move(index));
    }
    after = pools->back().id;
  }
}

absl::StatusOr<std::unique_ptr<index::PoolIndex>> PoolRegistry::Build(const domain::Pool& pool) const {
  auto index = std::make_unique<index::PoolIndex>(pool, EpochHour(clock_.Now()));
  index->LeaveLargeMerges();
  index::PoolIndex::Loader loader(*index);
  auto opened = store_.Read();  // one consistent state
  if (!opened.ok()) return opened.status();
  RecordReader& reader = **opened;
  // Adds every page that `list(after)` gives; `next(last)` is where the following one starts.
  const auto add_all = [&](auto after, auto list, auto next) -> absl::Status {
    while (true) {
      auto page = list(after);
      if (!page.ok()) return page.status();
      for (const auto& record : *page) loader.Add(record);
      if (page->size() < static_cast<std::size_t>(kLoadPage)) return absl::OkStatus();
      after = next(page->back());
    }
  };
  using Pair = std::pair<std::string, std::string>;
  const std::string& id = pool.id;
  auto status = add_all(
      std::string(), [&](const auto& after) { return reader.ListMembers(id, after, kLoadPage); },
      [](const auto& m) { return m.id; });
  if (status.ok()) {
    status = add_all(
        Pair(), [&](const auto& after) { return reader.ListConnections(id, after, kLoadPage); },
        [](const auto& c) { return Pair(c.a, c.b); });
  }
  if (status.ok()) {
    status = add_all(
        Pair(), [&](const auto& after) { return reader.ListBlocks(id, after, kLoadPage); },
        [](const auto& b) { return Pair(b.blocker, b.blocked); });
  }
  if (status.ok()) {
    status = add_all(
        std::string(), [&](const auto& after) { return reader.ListNeeds(id, "", after, kLoadPage); },
        [](const auto& n) { return n.id; });
  }
  if (!status.ok()) return status;
  auto statistics = reader.GetStatistics(id);
  if (!statistics.ok()) return statistics.status();
  if (statistics->has_value()) loader.Set(**statistics);
  auto head = reader.HeadRevision(id);
  if (!head.ok()) return head.status();
  loader.Finish(*head);
  return index;
}

void PoolRegistry::Install(const std::string& pool, std::unique_ptr<index::PoolIndex> index) {
  const Map* old = map_.load();
  auto* map = new Map(*old);
  index::PoolIndex* replaced = std::exchange((*map)[pool], index.release());
  map_.store(map, std::memory_order_seq_cst);
  base::RcuRetireObject(old);
  base::RcuRetireObject(replaced);
}

void PoolRegistry::Apply(const Changes& changes) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> order;
  absl::flat_hash_map<std::string, std::vector<domain::Change>> by_pool;
  for (const auto& [pool, change] : changes) {
    auto& list = by_pool[pool];
    if (list.empty()) order.push_back(pool);
    list.push_back(change);
  }
  for (const std::string& pool : order) ApplyToPool(pool, by_pool[pool]);
}

void PoolRegistry::ApplyToPool(const std::string& pool, std::span<const domain::Change> changes) {
  const auto found = map_.load()->find(pool);
  const domain::Pool* newest = nullptr;
  for (const domain::Change& change : changes) {
    if (const auto* record = std::get_if<domain::Pool>(&change.body)) newest = record;
  }
  if (found == map_.load()->end()) {
    if (newest == nullptr) return;
    auto index = std::make_unique<index::PoolIndex>(*newest, EpochHour(clock_.Now()));
    index->LeaveLargeMerges();
    index->Apply(changes);
    Install(pool, std::move(index));
    return;
  }
  index::PoolIndex& index = *found->second;
  bool rebuild = false;
  if (newest != nullptr) {
    const base::RcuReadGuard guard;
    rebuild = index::PoolIndex::NeedsRebuild(index.view().pool->policy, newest->policy);
  }
  if (rebuild) {
    if (auto rebuilt = Build(*newest); rebuilt.ok()) {
      Install(pool, *std::move(rebuilt));
      return;
    }
    rebuild_pending_.push_back(pool);
  }
  index.Apply(changes);
}

void PoolRegistry::Maintain() {
  const std::lock_guard lock(mutex_);
  const std::int64_t hour = EpochHour(clock_.Now());
  for (const auto& [id, index] : *map_.load()) {
    bool another = false;
    {
      const base::RcuReadGuard guard;
      another = index->view().epoch_hour != hour;
    }
    if (another) index->AdvanceEpoch(hour);
  }
  for (const std::string& pool : std::exchange(rebuild_pending_, {})) {
    std::shared_ptr<const domain::Pool> record;
    {
      const base::RcuReadGuard guard;
      record = Find(pool)->pool;
    }
    if (auto rebuilt = Build(*record); rebuilt.ok()) {
      Install(pool, *std::move(rebuilt));
    } else {
      rebuild_pending_.push_back(pool);
    }
  }
}

std::optional<PoolRegistry::Merge> PoolRegistry::MergeSegments() {
  std::string pool;
  std::unique_ptr<index::MergeTask> task;
  const absl::Time began = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, index] : *map_.load()) {
      task = index->StartMerge();
      pool = id;
      if (task != nullptr) break;
    }
  }
  if (task == nullptr) return std::nullopt;
  absl::Duration pause = clock_.Now() - began;
  task->Run();
  {
    const std::lock_guard lock(mutex_);
    const absl::Time finishing = clock_.Now();
    // The index may have been rebuilt meanwhile; then it knows nothing of the task, and does nothing.
    map_.load()->at(pool)->FinishMerge(*task);
    pause += clock_.Now() - finishing;
  }
  const absl::Duration took = clock_.Now() - began;
  base::RcuSynchronize();  // so that the merged segments, which may be large, are freed here and not by the writer
  return Merge{took, pause};
}

absl::StatusOr<domain::Statistics> PoolRegistry::CountStatistics(const std::string& pool) const {
  const std::lock_guard lock(mutex_);
  const auto found = map_.load()->find(pool);
  if (found == map_.load()->end()) return PoolNotFound(pool);
  std::int64_t generation = 0;
  {
    const base::RcuReadGuard guard;
    generation = found->second->view().statistics->generation() + 1;
  }
  return found->second->CountStatistics(generation);
}

std::vector<std::string> PoolRegistry::PoolsToCount() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> pools;
  for (const auto& [id, index] : *map_.load()) {
    const std::int64_t helpers = index->State().helpers;
    const base::RcuReadGuard guard;
    const auto counted = static_cast<std::int64_t>(index->view().statistics->helpers());
    const std::int64_t change = helpers > counted ? helpers - counted : counted - helpers;
    if (change > 0 && (counted == 0 || change * 4 >= counted)) pools.push_back(id);
  }
  return pools;
}

absl::StatusOr<index::IndexState> PoolRegistry::State(const std::string& pool) const {
  const std::lock_guard lock(mutex_);
  const auto found = map_.load()->find(pool);
  if (found == map_.load()->end()) return PoolNotFound(pool);
  return found->second->State();
}

}  // namespace warmline::application
