#include "application/write_queue.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <future>

#include "admission/thread_priority.h"
#include "domain/error.h"

namespace warmline::application {

using domain::ErrorReason;

namespace {

// A commit that took longer says that the store was away, not what the next one will take.
constexpr absl::Duration kMaxOverhead = absl::Milliseconds(250);

// For how long a failed commit says that writes fail, when nobody tries another.
constexpr absl::Duration kFailureCounts = absl::Seconds(30);

}  // namespace

WriteQueue::WriteQueue(RecordStore& store, const Clock& clock, Metrics& metrics, std::function<void(Committed)> apply,
                       Limits limits)
    : store_(store),
      clock_(clock),
      metrics_(metrics),
      apply_(std::move(apply)),
      limits_(limits),
      // In the order in which they came: an import's later rows may need its earlier ones.
      waiting_({.threads = 1, .max_waiting = limits.max_waiting}, /*newest_first=*/false),
      thread_([this] { Loop(); }) {}

WriteQueue::~WriteQueue() { Stop(); }

absl::Status WriteQueue::RefusedLocked(const admission::WorkOrder& order, std::optional<admission::Refusal> refusal) {
  if (stopping_)
    return domain::MakeError(ErrorReason::kDraining,
                             "the server is shutting down: try again, on another replica if there is one",
                             absl::Seconds(1));
  if (!refusal) return absl::OkStatus();
  metrics_.WorkRefused(admission::RefusalName(*refusal), admission::ShareOf(order.lane).name);
  return waiting_.backlog().ErrorOf(*refusal, order);
}

absl::Status WriteQueue::Refuses(const admission::WorkOrder& order) {
  const std::lock_guard lock(mutex_);
  return RefusedLocked(order, waiting_.backlog().Refuses(order, clock_.Now()));
}

absl::Status WriteQueue::Submit(WriteJob job) {
  const std::lock_guard lock(mutex_);
  const admission::WorkOrder order = job.order;
  const auto refusal = stopping_ ? std::nullopt : waiting_.Push(order, job, clock_.Now());
  if (auto status = RefusedLocked(order, refusal); !status.ok()) return status;
  changed_.notify_one();
  return absl::OkStatus();
}

admission::LaneReading WriteQueue::Reading(admission::Lane lane) const {
  const std::lock_guard lock(mutex_);
  return waiting_.Reading(lane, clock_.Now());
}

bool WriteQueue::LastCommitKept() const {
  const std::lock_guard lock(mutex_);
  return clock_.Now() - failed_at_ > kFailureCounts;
}

absl::Status WriteQueue::Run(WriteJob job) {
  std::promise<absl::Status> done;
  auto result = done.get_future();
  job.done = [&done](const absl::Status& status) { done.set_value(status); };
  if (auto submitted = Submit(std::move(job)); !submitted.ok()) return submitted;
  return result.get();
}

void WriteQueue::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WriteQueue::Loop() {
  admission::YieldToAdmission();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::vector<WriteJob> batch = NextBatch(lock);
    metrics_.WritesWaiting(static_cast<std::int64_t>(waiting_.size()));
    lock.unlock();
    if (!batch.empty()) RunBatch(batch);
    batch.clear();  // what the jobs hold is let go of without the lock
    lock.lock();
  }
}

std::vector<WriteJob> WriteQueue::NextBatch(std::unique_lock<std::mutex>& lock) {
  std::vector<WriteJob> batch;
  std::vector<std::pair<WriteJob, absl::Status>> refused;
  absl::Duration expected;
  while (batch.size() < limits_.max_batch && (batch.empty() || expected < limits_.max_batch_time)) {
    auto taken = waiting_.Pop(clock_.Now());
    if (!taken) break;
    if (taken->refused) {
      metrics_.WorkRefused(admission::RefusalName(*taken->refused), admission::ShareOf(taken->order.lane).name);
      refused.emplace_back(std::move(taken->payload), waiting_.backlog().ErrorOf(*taken->refused, taken->order));
    } else {
      expected += waiting_.backlog().Expected(taken->order.work_class);
      batch.push_back(std::move(taken->payload));
    }
  }
  if (refused.empty()) return batch;
  lock.unlock();
  for (auto& [job, status] : refused) job.done(status);
  refused.clear();
  lock.lock();
  return batch;
}

absl::Status WriteQueue::RunItem(WriteTransaction& tx, WriteJob& job, absl::Status& result,
                                 std::optional<absl::Duration>& took) {
  if (job.cancelled()) {
    result = domain::MakeError(ErrorReason::kCallCancelled, "the caller cancelled the call; nothing was written");
    return absl::OkStatus();
  }
  const absl::Time began = clock_.Now();
  if (began > job.order.deadline) {
    result = domain::MakeError(ErrorReason::kDeadlinePassed,
                               "the deadline passed before the write began; nothing was written");
    return absl::OkStatus();
  }
  if (auto status = tx.BeginItem(); !status.ok()) return status;
  result = job.run(tx, began);
  absl::Status whole = result.ok() && !job.validate_only ? tx.EndItem() : tx.RollbackItem();
  took = clock_.Now() - began;
  // A full disk or a failed read ends the transaction under the item: then the item's own error says why.
  return !whole.ok() && !result.ok() ? result : whole;
}

void WriteQueue::RunBatch(std::vector<WriteJob>& batch) {
  const absl::Time started = clock_.Now();
  std::vector<absl::Status> results(batch.size());
  std::vector<std::optional<absl::Duration>> took(batch.size());
  const auto end = [&](const absl::Status& status, std::int64_t items) {
    const absl::Duration whole = clock_.Now() - started;
    metrics_.BatchCommitted(items, items > 0 && status.ok(), whole);
    const absl::Time committed = clock_.Now();
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(results[i].ok() ? status : results[i]);
    {
      // An answer takes as long as a small write.
      const absl::Duration answer = (clock_.Now() - committed) / static_cast<double>(batch.size());
      const std::lock_guard lock(mutex_);
      absl::Duration overhead = whole;
      for (std::size_t i = 0; i < batch.size(); ++i) {
        overhead -= took[i].value_or(absl::ZeroDuration());
        waiting_.Done(batch[i].order, took[i] ? std::optional(*took[i] + answer) : std::nullopt);
      }
      failed_at_ = status.ok() ? absl::InfinitePast() : clock_.Now();
      if (status.ok()) waiting_.backlog().SetOverhead(std::min(overhead, kMaxOverhead));
    }
  };
  BatchHint hint;
  for (const WriteJob& job : batch) {
    if (!job.pool.empty()) hint.pools.push_back(job.pool);
    hint.reads.insert(hint.reads.end(), job.reads.begin(), job.reads.end());
  }
  auto tx = store_.Begin(hint);
  if (!tx.ok()) {
    end(tx.status(), 0);
    return;
  }
  absl::Status whole;  // an error that ends the transaction
  for (std::size_t i = 0; i < batch.size() && whole.ok(); ++i) whole = RunItem(**tx, batch[i], results[i], took[i]);
  Committed committed{(*tx)->changes(), (*tx)->log_rows()};
  if (whole.ok()) whole = (*tx)->Commit();
  tx->reset();
  if (whole.ok() && !committed.changes.empty()) apply_(std::move(committed));
  end(whole, static_cast<std::int64_t>(batch.size()));
}

absl::Status RunOnce(WriteTransaction& tx, const std::string& pool, const std::string& request_id,
                     std::uint64_t fingerprint, absl::Time now, std::string* reply,
                     const std::function<absl::Status(std::string* subject)>& write) {
  auto kept = tx.GetReply(pool, request_id);
  if (!kept.ok()) return kept.status();
  if (kept->has_value()) {
    if ((*kept)->fingerprint != fingerprint) {
      return domain::MakeError(ErrorReason::kRequestIdReused,
                               absl::StrCat("request_id ", domain::Quoted(request_id),
                                            " was used for a different request: choose a new one for each request"));
    }
    *reply = (*kept)->reply;
    return absl::OkStatus();
  }
  std::string subject;
  if (auto status = write(&subject); !status.ok()) return status;
  return tx.PutReply(pool, request_id, subject, {fingerprint, *reply}, now);
}

}  // namespace warmline::application
