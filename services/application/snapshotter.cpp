#include "application/snapshotter.h"

namespace warmline::application {
namespace {

// Snapshots that are begun anew because somebody is erased meanwhile, one after the other.
constexpr int kMaxTries = 5;

}  // namespace

Snapshotter::Snapshotter(SnapshotCache& cache, PoolRegistry& pools, const RecordStore& store, const Clock& clock,
                         Metrics& metrics, const SnapshotSchedule& schedule)
    : cache_(cache),
      pools_(pools),
      history_(store.history()),
      clock_(clock),
      metrics_(metrics),
      schedule_(schedule),
      thread_([this] { Loop(); }) {}

Snapshotter::~Snapshotter() { Stop(); }

void Snapshotter::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  if (schedule_.save_at_end) Look(true);
}

void Snapshotter::Loop() {
  while (true) {
    Look(false);
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, absl::ToChronoNanoseconds(schedule_.look), [this] { return stopping_; })) return;
  }
}

void Snapshotter::Look(bool at_end) {
  std::int64_t purges = 0;
  for (const std::string& pool : pools_.PoolIds()) {
    Known& known = known_[pool];
    LookAt(pool, known, at_end);
    purges += pools_.ErasedRevision(pool) > known.saved_revision ? 1 : 0;
  }
  metrics_.SnapshotPurgesPending(purges);
}

void Snapshotter::LookAt(const std::string& pool, Known& known, bool at_end) {
  const absl::Time now = clock_.Now();
  const std::int64_t revision = pools_.Revision(pool);
  bool purge = pools_.ErasedRevision(pool) > known.saved_revision;
  // Also where nothing changed: the cache may have lost it.
  const bool due = purge || at_end || now - known.looked >= schedule_.interval;
  if (!due || (at_end && revision == known.saved_revision)) return;
  // Where another process writes, it is looked at the next time again, and with a purge, whether that has done it.
  const bool mine = cache_.MayWrite(pool);
  if (!mine && !purge) return;
  if (mine) known.looked = now;
  const auto newest = cache_.Newest(pool, history_);
  if (!newest.ok()) return;
  if (newest->has_value() && (*newest)->revision >= revision) {
    known.saved_revision = (*newest)->revision;
    return;
  }
  if (!mine) {
    if (newest->has_value()) known.saved_revision = (*newest)->revision;
    return;
  }
  for (int i = 0; i < kMaxTries; ++i) {
    std::unique_ptr<index::SnapshotSource> source;
    if (purge) {
      auto purged = pools_.TakePurgedSnapshot(pool);
      if (absl::IsAborted(purged.status())) continue;
      if (purged.ok()) source = *std::move(purged);
    } else {
      source = pools_.TakeSnapshot(pool);
      // Somebody may have been erased before it was taken, and it would pass for a purged one.
      purge = pools_.ErasedRevision(pool) > known.saved_revision;
      if (purge) continue;
    }
    if (source == nullptr) return;
    const absl::Time began = clock_.Now();
    const absl::Status saved = cache_.Save(pool, history_, *source, purge);
    metrics_.SnapshotWritten(cache_.name(), saved.ok(), clock_.Now() - began);
    if (saved.ok()) {
      known.saved_revision = source->revision();
      return;
    }
    if (!absl::IsAborted(saved)) break;
  }
  // The disk or the memory of the cache is full, or erasures come too fast. A cache may lack what it cannot keep clean.
  if (purge && cache_.Drop(pool).ok()) known.saved_revision = pools_.Revision(pool);
}

}  // namespace warmline::application
