#include "application/executor.h"

#include <absl/strings/str_cat.h>

#include "domain/error.h"

namespace warmline::application {

Executor::Executor(int threads, std::size_t max_waiting) : max_waiting_(max_waiting) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

Executor::~Executor() { Stop(); }

absl::Status Executor::Submit(std::function<void()> work) {
  const absl::MutexLock lock(&mutex_);
  if (stopping_)
    return domain::MakeError(domain::ErrorReason::kDraining,
                             "the server is shutting down: try again, on another replica if there is one",
                             absl::Seconds(1));
  if (waiting_.size() >= max_waiting_) {
    return domain::MakeError(domain::ErrorReason::kOverloaded,
                             absl::StrCat(max_waiting_, " reads are waiting already: try again later, at a lower rate"),
                             absl::Milliseconds(200));
  }
  waiting_.push_back(std::move(work));
  return absl::OkStatus();
}

void Executor::Stop() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Executor::Loop() {
  while (true) {
    std::function<void()> work;
    {
      const absl::MutexLock lock(&mutex_);
      const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !waiting_.empty(); };
      mutex_.Await(absl::Condition(&ready));
      if (waiting_.empty()) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace warmline::application
