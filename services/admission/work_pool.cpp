#include "admission/work_pool.h"

#include <algorithm>

#include "admission/thread_priority.h"
#include "domain/error.h"

namespace warmline::admission {
namespace {

// Of what the processor may have done between two pieces of work.
constexpr absl::Duration kLongestGap = absl::Milliseconds(50);

}  // namespace

WorkPool::WorkPool(const BacklogLimits& limits, OnRefused on_refused)
    : on_refused_(std::move(on_refused)), queue_(limits, /*newest_first=*/true) {
  for (int i = 0; i < limits.threads; ++i) threads_.emplace_back([this] { Loop(); });
}

WorkPool::~WorkPool() { Stop(); }

absl::Status WorkPool::Submit(const WorkOrder& order, Work work) {
  const std::lock_guard lock(mutex_);
  if (stopping_) {
    return domain::MakeError(domain::ErrorReason::kDraining,
                             "the server is shutting down: try again, on another replica if there is one",
                             absl::Seconds(1));
  }
  if (const auto refusal = queue_.Push(order, work, absl::Now())) {
    on_refused_(order.lane, *refusal);
    return queue_.backlog().ErrorOf(*refusal, order);
  }
  if (idle_ > 0) changed_.notify_one();
  return absl::OkStatus();
}

void WorkPool::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

LaneReading WorkPool::Reading(Lane lane) const {
  const std::lock_guard lock(mutex_);
  return queue_.Reading(lane, absl::Now());
}

void WorkPool::Loop() {
  YieldToAdmission();
  std::unique_lock lock(mutex_);
  absl::Time free_since = absl::Now();
  while (true) {
    // Work that waited is measured from when this thread was free for it: what else the processor did meanwhile makes
    // those behind it wait too.
    const bool waited = !queue_.empty();
    ++idle_;
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    const absl::Time now = absl::Now();
    const absl::Time began = waited ? std::max(free_since, now - kLongestGap) : now;
    auto taken = queue_.Pop(now);
    if (!taken) return;  // stopping, and nothing waits
    absl::Status status;
    if (taken->refused) {
      on_refused_(taken->order.lane, *taken->refused);
      status = queue_.backlog().ErrorOf(*taken->refused, taken->order);
    }
    lock.unlock();
    taken->payload(status);
    taken->payload = nullptr;  // what it holds is let go of without the lock
    lock.lock();
    if (taken->refused) continue;
    free_since = absl::Now();
    queue_.Done(taken->order, free_since - began);
  }
}

}  // namespace warmline::admission
