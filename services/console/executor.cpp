#include "console/executor.h"

#include <absl/strings/str_cat.h>

#include "domain/error.h"

namespace warmline::console {

Executor::Executor(int threads, std::size_t max_waiting) : max_waiting_(max_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

Executor::~Executor() { Stop(); }

absl::Status Executor::Submit(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (stopping_)
    return domain::MakeError(domain::ErrorReason::kDraining,
                             "the server is shutting down: try again, on another replica if there is one",
                             absl::Seconds(1));
  if (waiting_.size() >= max_waiting_) {
    return domain::MakeError(
        domain::ErrorReason::kOverloaded,
        absl::StrCat(max_waiting_, " requests are waiting already: try again later, at a lower rate"),
        absl::Milliseconds(200));
  }
  waiting_.push_back(std::move(work));
  changed_.notify_one();
  return absl::OkStatus();
}

void Executor::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Executor::Loop() {
  while (true) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace warmline::console
