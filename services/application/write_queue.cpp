#include "application/write_queue.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <future>

#include "domain/error.h"

namespace warmline::application {

using domain::ErrorReason;

WriteQueue::WriteQueue(RecordStore& store, const Clock& clock, Metrics& metrics, std::function<void(Committed)> apply,
                       Limits limits)
    : store_(store), clock_(clock), metrics_(metrics), apply_(std::move(apply)), limits_(limits), thread_([this] {
        Loop();
      }) {}

WriteQueue::~WriteQueue() { Stop(); }

absl::Status WriteQueue::Submit(WriteJob job) {
  const std::lock_guard lock(mutex_);
  if (stopping_)
    return domain::MakeError(ErrorReason::kDraining,
                             "the server is shutting down: try again, on another replica if there is one",
                             absl::Seconds(1));
  if (waiting_.size() >= limits_.max_waiting) {
    return domain::MakeError(
        ErrorReason::kOverloaded,
        absl::StrCat(limits_.max_waiting, " writes are waiting already: try again later, at a lower rate"),
        absl::Milliseconds(200));
  }
  waiting_.push_back(std::move(job));
  changed_.notify_one();
  return absl::OkStatus();
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
  while (true) {
    std::vector<WriteJob> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const std::size_t count = std::min(waiting_.size(), limits_.max_batch);
      for (std::size_t i = 0; i < count; ++i) {
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      metrics_.WritesWaiting(static_cast<std::int64_t>(waiting_.size()));
    }
    RunBatch(batch);
  }
}

void WriteQueue::RunBatch(std::vector<WriteJob>& batch) {
  const absl::Time started = clock_.Now();
  std::vector<absl::Status> results(batch.size());
  const auto answer_all = [&](const absl::Status& status) {
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(results[i].ok() ? status : results[i]);
  };
  BatchHint hint;
  for (const WriteJob& job : batch) {
    if (!job.pool.empty()) hint.pools.push_back(job.pool);
    hint.reads.insert(hint.reads.end(), job.reads.begin(), job.reads.end());
  }
  auto tx = store_.Begin(hint);
  if (!tx.ok()) {
    answer_all(tx.status());
    metrics_.BatchCommitted(0, false, clock_.Now() - started);
    return;
  }
  absl::Status whole;  // an error that ends the transaction
  for (std::size_t i = 0; i < batch.size() && whole.ok(); ++i) {
    WriteJob& job = batch[i];
    if (job.cancelled()) {
      results[i] = domain::MakeError(ErrorReason::kCallCancelled, "the caller cancelled the call; nothing was written");
      continue;
    }
    if (clock_.Now() > job.deadline) {
      results[i] = domain::MakeError(ErrorReason::kDeadlinePassed,
                                     "the deadline passed before the write began; nothing was written");
      continue;
    }
    whole = (*tx)->BeginItem();
    if (!whole.ok()) break;
    results[i] = job.run(**tx, clock_.Now());
    whole = results[i].ok() && !job.validate_only ? (*tx)->EndItem() : (*tx)->RollbackItem();
    // A full disk or a failed read ends the transaction under the item: then the item's own error says why.
    if (!whole.ok() && !results[i].ok()) whole = results[i];
  }
  Committed committed{(*tx)->changes(), (*tx)->log_rows()};
  if (whole.ok()) whole = (*tx)->Commit();
  tx->reset();
  metrics_.BatchCommitted(static_cast<std::int64_t>(batch.size()), whole.ok(), clock_.Now() - started);
  if (whole.ok() && !committed.changes.empty()) apply_(std::move(committed));
  answer_all(whole);
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
