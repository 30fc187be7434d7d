#include "application/pool_registry.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "application/exploration_key.h"
#include "application/index_builder.h"
#include "base/rcu.h"
#include "domain/error.h"

namespace warmline::application {
namespace {

// A snapshot that is further behind is not used: to follow the log from there would take longer than to build the
// index.
constexpr std::int64_t kMaxLogToFollow = 500'000;

std::int64_t RevisionOf(const index::PoolIndex& index) {
  const base::RcuReadGuard guard;
  return index.view().revision;
}

}  // namespace

absl::Status PoolNotFound(const std::string& pool) {
  return domain::MakeError(domain::ErrorReason::kPoolNotFound,
                           absl::StrCat("pools/", pool, " does not exist: create it, or check the name"));
}

PoolRegistry::PoolRegistry(RecordStore& store, const Clock& clock, Metrics& metrics, absl::Duration max_staleness,
                           SnapshotCache* snapshots)
    : store_(store),
      clock_(clock),
      metrics_(metrics),
      max_staleness_(max_staleness),
      snapshots_(snapshots),
      exploration_secret_(store.token_key()),
      map_(new Map) {}

PoolRegistry::~PoolRegistry() {
  const Map* map = map_.load();
  for (const auto& [id, held] : *map) delete held;
  delete map;
}

PoolRegistry::Held* PoolRegistry::HeldOf(const std::string& pool) const {
  const Map* map = map_.load(std::memory_order_seq_cst);
  const auto found = map->find(pool);
  return found == map->end() ? nullptr : found->second;
}

const index::View* PoolRegistry::Find(const std::string& pool) const {
  const Held* held = HeldOf(pool);
  return held == nullptr ? nullptr : &held->index->view();
}

std::vector<std::string> PoolRegistry::PoolIds() const {
  const base::RcuReadGuard guard;
  std::vector<std::string> ids;
  for (const auto& [id, held] : *map_.load(std::memory_order_seq_cst)) ids.push_back(id);
  return ids;
}

std::int64_t PoolRegistry::Revision(const std::string& pool) const {
  const base::RcuReadGuard guard;
  const index::View* view = Find(pool);
  return view == nullptr ? 0 : view->revision;
}

void PoolRegistry::MarkCurrent(const std::string& pool, absl::Time time) {
  const base::RcuReadGuard guard;
  if (Held* held = HeldOf(pool)) held->current_at_ms.store(absl::ToUnixMillis(time), std::memory_order_relaxed);
}

absl::Duration PoolRegistry::Staleness(const std::string& pool) const {
  const base::RcuReadGuard guard;
  const Held* held = HeldOf(pool);
  if (held == nullptr) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(),
                  clock_.Now() - absl::FromUnixMillis(held->current_at_ms.load(std::memory_order_relaxed)));
}

absl::Status PoolRegistry::RequireFresh(const std::string& pool) const {
  const absl::Duration staleness = Staleness(pool);
  if (staleness <= max_staleness_) return absl::OkStatus();
  return domain::MakeError(
      domain::ErrorReason::kReplicaStale,
      absl::StrCat("this replica has not seen the store for ",
                   absl::FormatDuration(absl::Trunc(staleness, absl::Seconds(1))), ", longer than ",
                   absl::FormatDuration(max_staleness_),
                   ": a match might name who is gone; try another replica, or again once the store is back"),
      absl::Seconds(1));
}

absl::Duration PoolRegistry::MaxStaleness() const {
  absl::Duration most = absl::ZeroDuration();
  for (const std::string& id : PoolIds()) most = std::max(most, Staleness(id));
  return most;
}

absl::Status PoolRegistry::Load() {
  auto reader = store_.Read();
  if (!reader.ok()) return reader.status();
  auto heads = (*reader)->ListHeads();
  reader->reset();
  if (!heads.ok()) return heads.status();
  for (const auto& [pool, head] : *heads) {
    if (auto status = CatchUp(pool); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PoolRegistry::Rebuild(const std::string& pool, std::int64_t revision) {
  const std::lock_guard building(building_);
  const std::int64_t held = Revision(pool);
  if (held >= revision) return absl::OkStatus();  // somebody else built it meanwhile
  if (held == 0) {
    if (auto index = FromSnapshot(pool)) {
      const std::lock_guard lock(mutex_);
      Install(pool, std::move(index));
      return absl::OkStatus();
    }
  }
  const absl::Time began = clock_.Now();
  auto built = BuildIndex(store_, pool, EpochHour(began));
  metrics_.IndexBuilt(built.ok(), clock_.Now() - began);
  if (!built.ok()) return built.status();
  if (*built == nullptr) return PoolNotFound(pool);
  const std::lock_guard lock(mutex_);
  // What was applied meanwhile is newer: then the log is followed from there.
  if (RevisionOf(**built) < Revision(pool)) return absl::OkStatus();
  Install(pool, *std::move(built));
  // Nobody was told whether members were erased before: what the cache holds may still name them.
  HeldOf(pool)->erased_revision = RevisionOf(*HeldOf(pool)->index);
  MarkCurrent(pool, began);
  return absl::OkStatus();
}

std::unique_ptr<index::PoolIndex> PoolRegistry::FromSnapshot(const std::string& pool) {
  if (snapshots_ == nullptr) return nullptr;
  const absl::Time began = clock_.Now();
  std::unique_ptr<index::PoolIndex> index;
  auto loaded = snapshots_->Load(pool, store_.history());
  if (loaded.ok() && loaded->has_value() && (*loaded)->restorer != nullptr) {
    auto reader = store_.Read();
    auto head = reader.ok() ? (*reader)->HeadRevision(pool) : absl::StatusOr<std::int64_t>(reader.status());
    const std::int64_t generation = (*loaded)->statistics_generation;
    std::optional<domain::Statistics> statistics;
    bool usable = head.ok() && *head >= (*loaded)->revision && *head - (*loaded)->revision <= kMaxLogToFollow;
    if (usable && generation > 0) {
      auto kept = (*reader)->GetStatisticsOf(pool, generation);
      usable = kept.ok() && kept->has_value();
      if (usable) statistics = **std::move(kept);
    }
    if (usable) {
      auto finished =
          (*loaded)->restorer->Finish((*loaded)->revision, EpochHour(began), statistics ? &*statistics : nullptr);
      if (finished.ok()) {
        index = *std::move(finished);
      } else {
        metrics_.SnapshotDamaged(snapshots_->name(), "corrupt");
      }
    }
  }
  metrics_.SnapshotLoaded(snapshots_->name(), index != nullptr, clock_.Now() - began);
  return index;
}

std::unique_ptr<index::SnapshotSource> PoolRegistry::TakeSnapshot(const std::string& pool) const {
  const std::lock_guard lock(mutex_);
  const Held* held = HeldOf(pool);
  return held == nullptr ? nullptr : std::make_unique<index::SnapshotSource>(*held->index);
}

std::int64_t PoolRegistry::ErasedRevision(const std::string& pool) const {
  const base::RcuReadGuard guard;
  const Held* held = HeldOf(pool);
  return held == nullptr ? 0 : held->erased_revision.load();
}

void PoolRegistry::Install(const std::string& pool, std::unique_ptr<index::PoolIndex> index) {
  index->UseExplorationKey(ExplorationKey(exploration_secret_, pool));
  const Map* old = map_.load();
  auto* map = new Map(*old);
  auto* held = new Held;
  held->index = std::move(index);
  held->current_at_ms = absl::ToUnixMillis(clock_.Now());
  const Held* replaced = std::exchange((*map)[pool], held);
  if (replaced != nullptr) {
    held->erased_revision = replaced->erased_revision.load();
    held->statistics_revision = replaced->statistics_revision.load();
  }
  map_.store(map, std::memory_order_seq_cst);
  base::RcuRetireObject(old);
  base::RcuRetireObject(replaced);
}

void PoolRegistry::ApplyToIndex(Held& held, const std::string& pool, std::span<const domain::Change> changes) {
  index::PoolIndex& index = *held.index;
  for (const domain::Change& change : changes) {
    if (std::holds_alternative<domain::MemberErased>(change.body)) held.erased_revision = change.revision;
    if (std::holds_alternative<domain::Statistics>(change.body)) held.statistics_revision = change.revision;
  }
  // An erased member whom the log names by a hash only may have come with the changes before it: those are applied
  // first.
  std::size_t from = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto* erased = std::get_if<domain::MemberErased>(&changes[i].body);
    if (erased == nullptr || !erased->id.empty()) continue;
    if (i > from) index.Apply(changes.subspan(from, i - from));
    domain::Change found{changes[i].revision, std::monostate()};
    {
      const base::RcuReadGuard guard;
      const auto& members = index.view().tables->members;
      const auto number = members.FindByHash(erased->id_hash, [&](std::string_view id) {
        return store_.ErasureHash(pool, std::string(id)) == erased->hash;
      });
      if (number) found.body = domain::MemberErased{std::string(members.Id(*number)), "", 0};
    }
    index.Apply(std::span(&found, 1));
    from = i + 1;
  }
  if (from < changes.size()) index.Apply(changes.subspan(from));
}

PoolRegistry::Outcome PoolRegistry::ApplyInOrder(const std::string& pool, std::span<const domain::Change> changes) {
  Held* held = HeldOf(pool);
  if (held == nullptr) {
    const auto* first = changes.empty() ? nullptr : std::get_if<domain::Pool>(&changes.front().body);
    if (first == nullptr || changes.front().revision != 1) return Outcome::kMissing;
    auto index = std::make_unique<index::PoolIndex>(*first, EpochHour(clock_.Now()));
    index->LeaveLargeMerges();
    Install(pool, std::move(index));
    ApplyToIndex(*HeldOf(pool), pool, changes);
    return Outcome::kApplied;
  }
  const std::int64_t revision = RevisionOf(*held->index);
  while (!changes.empty() && changes.front().revision <= revision) changes = changes.subspan(1);
  if (changes.empty()) return Outcome::kApplied;
  // What others tell may lack rows anywhere: those up to the first gap are applied.
  std::size_t whole = 0;
  while (whole < changes.size() && changes[whole].revision == revision + 1 + static_cast<std::int64_t>(whole)) ++whole;
  const bool missing = whole < changes.size();
  changes = changes.first(whole);
  if (changes.empty()) return Outcome::kMissing;
  for (const domain::Change& change : changes) {
    const auto* record = std::get_if<domain::Pool>(&change.body);
    if (record == nullptr) continue;
    const base::RcuReadGuard guard;
    if (index::PoolIndex::NeedsRebuild(held->index->view().pool->policy, record->policy)) return Outcome::kRebuild;
  }
  ApplyToIndex(*held, pool, changes);
  return missing ? Outcome::kMissing : Outcome::kApplied;
}

void PoolRegistry::Apply(const Changes& changes) {
  std::vector<std::string> order;
  absl::flat_hash_map<std::string, std::vector<domain::Change>> by_pool;
  for (const auto& [pool, change] : changes) {
    auto& list = by_pool[pool];
    if (list.empty()) order.push_back(pool);
    list.push_back(change);
  }
  for (const std::string& pool : order) {
    if (Follow(pool, std::move(by_pool[pool]))) continue;
    // Others wrote before, or the index must be built anew: the log has these changes too.
    if (auto status = CatchUp(pool); !status.ok()) metrics_.CatchUpFailed();
  }
}

bool PoolRegistry::Follow(const std::string& pool, std::vector<domain::Change> changes) {
  const std::lock_guard lock(mutex_);
  return ApplyInOrder(pool, changes) == Outcome::kApplied;
}

absl::Status PoolRegistry::CatchUp(const std::string& pool) {
  while (true) {
    const std::int64_t revision = Revision(pool);
    if (revision == 0) {
      if (auto status = Rebuild(pool, 1); !status.ok()) return status;
      continue;  // a snapshot is behind; what was built may be, too
    }
    auto changes = ReadLog(store_, pool, revision);
    if (absl::IsFailedPrecondition(changes.status())) return Rebuild(pool, revision + 1);
    if (!changes.ok()) return changes.status();
    if (changes->empty()) return absl::OkStatus();
    metrics_.ChangesFollowed(static_cast<std::int64_t>(changes->size()), false);
    const std::int64_t last = changes->back().revision;
    Outcome outcome{};
    {
      const std::lock_guard lock(mutex_);
      outcome = ApplyInOrder(pool, *changes);
    }
    // Rows that are missing from the log itself: only a whole build helps.
    if (outcome != Outcome::kApplied) {
      if (auto status = Rebuild(pool, last); !status.ok()) return status;
    }
    if (changes->size() < static_cast<std::size_t>(kLogPage)) return absl::OkStatus();
  }
}

void PoolRegistry::Maintain() {
  const std::lock_guard lock(mutex_);
  const std::int64_t hour = EpochHour(clock_.Now());
  for (const auto& [id, held] : *map_.load()) {
    bool another = false;
    {
      const base::RcuReadGuard guard;
      another = held->index->view().epoch_hour != hour;
    }
    if (another) held->index->AdvanceEpoch(hour);
  }
}

std::optional<PoolRegistry::Merge> PoolRegistry::MergeSegments() {
  std::string pool;
  std::unique_ptr<index::MergeTask> task;
  const absl::Time began = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, held] : *map_.load()) {
      task = held->index->StartMerge();
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
    map_.load()->at(pool)->index->FinishMerge(*task);
    pause += clock_.Now() - finishing;
  }
  const absl::Duration took = clock_.Now() - began;
  base::RcuSynchronize();  // so that the merged segments, which may be large, are freed here and not by the writer
  return Merge{took, pause};
}

}  // namespace warmline::application
