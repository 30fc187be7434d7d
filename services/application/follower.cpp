#include "application/follower.h"

#include <algorithm>
#include <utility>

namespace warmline::application {

Follower::Follower(RecordStore& store, PoolRegistry& pools, const Clock& clock, Metrics& metrics,
                   absl::Duration interval)
    : store_(store), pools_(pools), clock_(clock), metrics_(metrics), interval_(interval), thread_([this] {
        Loop();
      }) {}

Follower::~Follower() { Stop(); }

std::uint64_t Follower::Nudge() {
  std::uint64_t next = 0;
  {
    const std::lock_guard lock(mutex_);
    nudged_ = true;
    next = begun_ + 1;  // one that is under way may have asked before
  }
  changed_.notify_one();
  return next;
}

std::optional<std::int64_t> Follower::HeadAt(const std::string& pool, std::uint64_t poll) const {
  const std::lock_guard lock(mutex_);
  if (answered_ < poll) return std::nullopt;
  const auto found = std::lower_bound(heads_.begin(), heads_.end(), pool,
                                      [](const auto& head, const std::string& id) { return head.first < id; });
  return found == heads_.end() || found->first != pool ? 0 : found->second;
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
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++begun_;
  }
  const absl::Time asked = clock_.Now();  // what is committed later is not in the answer
  auto reader = store_.Read();
  bool all = reader.ok();
  if (reader.ok()) {
    const auto heads = (*reader)->ListHeads();
    reader->reset();
    all = heads.ok();
    if (heads.ok()) {
      const std::lock_guard lock(mutex_);
      answered_ = number;
      heads_ = *heads;
      std::sort(heads_.begin(), heads_.end());  // a store may order text otherwise
    }
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
