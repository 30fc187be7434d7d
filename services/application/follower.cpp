#include "application/follower.h"

#include <utility>

namespace warmline::application {

Follower::Follower(RecordStore& store, PoolRegistry& pools, const Clock& clock, Metrics& metrics,
                   absl::Duration interval)
    : store_(store), pools_(pools), clock_(clock), metrics_(metrics), interval_(interval), thread_([this] {
        Loop();
      }) {}

Follower::~Follower() { Stop(); }

void Follower::Nudge() {
  {
    const std::lock_guard lock(mutex_);
    nudged_ = true;
  }
  changed_.notify_one();
}

void Follower::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Follower::Loop() {
  while (true) {
    Poll();
    std::unique_lock lock(mutex_);
    const auto ends = [this] { return stopping_; };
    if (changed_.wait_for(lock, absl::ToChronoNanoseconds(kMinBetweenPolls), ends)) return;
    changed_.wait_for(lock, absl::ToChronoNanoseconds(interval_ - kMinBetweenPolls),
                      [this] { return stopping_ || nudged_; });
    if (stopping_) return;
    nudged_ = false;
  }
}

void Follower::Poll() {
  const absl::Time asked = clock_.Now();  // what is committed later is not in the answer
  auto reader = store_.Read();
  bool all = reader.ok();
  if (reader.ok()) {
    const auto heads = (*reader)->ListHeads();
    reader->reset();
    all = heads.ok();
    for (std::size_t i = 0; heads.ok() && i < heads->size(); ++i) {
      const auto& [pool, head] = (*heads)[i];
      if (pools_.Revision(pool) < head && !pools_.CatchUp(pool).ok()) {
        metrics_.CatchUpFailed();
        all = false;
      } else {
        pools_.MarkCurrent(pool, asked);
      }
    }
  }
  metrics_.StorePolled(all, pools_.MaxStaleness());
}

}  // namespace warmline::application
