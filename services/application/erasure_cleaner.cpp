#include "application/erasure_cleaner.h"

#include "application/forget_interests.h"

namespace warmline::application {

ErasureCleaner::ErasureCleaner(RecordStore& store, const PoolRegistry& pools, WriteQueue& writes,
                               SnapshotCache* snapshots, const Clock& clock, Metrics& metrics, absl::Duration interval)
    : store_(store),
      pools_(pools),
      writes_(writes),
      snapshots_(snapshots),
      clock_(clock),
      metrics_(metrics),
      interval_(interval),
      thread_([this] { Loop(); }) {}

ErasureCleaner::~ErasureCleaner() { Stop(); }

void ErasureCleaner::Stop() {
  store_.StopCleaning();
  stop_.Set();
  if (thread_.joinable()) thread_.join();
}

void ErasureCleaner::Loop() {
  do {
    Look();
  } while (!stop_.IsSetWithin(interval_));
}

void ErasureCleaner::Look() {
  for (const std::string& pool : pools_.PoolIds()) {
    if (stop_.IsSet()) return;
    if (!pools_.HasForgottenInterests(pool)) continue;
    WriteJob job;
    job.pool = pool;
    job.run = [this, pool](WriteTransaction& tx, absl::Time) { return ForgetInterests(tx, pools_, pool); };
    (void)writes_.Run(std::move(job));  // what fails is done at the next look
  }
  // In parts, so that the end of the process waits for one only.
  absl::StatusOr<Cleaning> done = Cleaning::kMore;
  for (int part = 0; part < kMaxParts && done.ok() && *done == Cleaning::kMore && !stop_.IsSet(); ++part)
    done = store_.CleanErased(clock_.Now());
  metrics_.ErasuresCleaned(done.ok() && *done == Cleaning::kClean, store_.reserve_bytes());
}

bool ErasureCleaner::IsDone(const std::string& pool, const ErasureRecord& erasure) const {
  if (!erasure.cleaned || pools_.HasForgottenInterests(pool)) return false;
  if (snapshots_ == nullptr) return true;
  const auto newest = snapshots_->Newest(pool, store_.history());
  return newest.ok() && (!newest->has_value() || (*newest)->revision >= erasure.revision);
}

}  // namespace warmline::application
