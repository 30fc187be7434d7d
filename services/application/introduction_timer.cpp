#include "application/introduction_timer.h"

#include "application/introduction_moves.h"
#include "application/record_keys.h"

namespace warmline::application {

IntroductionTimer::IntroductionTimer(RecordStore& store, WriteQueue& writes, const Clock& clock, Metrics& metrics)
    : store_(store), writes_(writes), clock_(clock), metrics_(metrics), thread_([this] { Loop(); }) {}

IntroductionTimer::~IntroductionTimer() { Stop(); }

void IntroductionTimer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void IntroductionTimer::Loop() {
  while (true) {
    const bool all_done = Round();
    std::unique_lock lock(mutex_);
    const absl::Duration wait = all_done || failed_ ? kInterval : absl::ZeroDuration();
    failed_ = false;
    if (changed_.wait_for(lock, absl::ToChronoNanoseconds(wait), [this] { return stopping_; })) return;
  }
}

bool IntroductionTimer::Round() {
  std::vector<std::pair<std::string, std::string>> due;
  {
    auto reader = store_.Read();
    if (!reader.ok()) return true;  // the store is away: looked for again in a while
    auto found = (*reader)->ListDueIntroductions(clock_.Now(), kMaxAtOnce);
    if (!found.ok()) return true;
    due = *std::move(found);
  }
  for (const auto& [pool, id] : due) {
    WriteJob job;
    job.pool = pool;
    job.reads = {IntroductionKey(pool, id)};
    job.run = [pool = pool, id = id](WriteTransaction& tx, absl::Time now) { return MakeDueMoves(tx, pool, id, now); };
    job.done = [this](const absl::Status& status) {
      metrics_.DueMoveMade(status.ok());
      const std::lock_guard lock(mutex_);
      failed_ = failed_ || !status.ok();
      --under_way_;
      changed_.notify_all();
    };
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
    }
    if (auto submitted = writes_.Submit(std::move(job)); !submitted.ok()) {
      const std::lock_guard lock(mutex_);
      --under_way_;
      failed_ = true;
      break;
    }
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return under_way_ == 0; });
  return due.size() < kMaxAtOnce;
}

}  // namespace warmline::application
