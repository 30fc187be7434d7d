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

bool Erases(const WriteJob& job) {
  return std::any_of(job.reads.begin(), job.reads.end(),
                     [](const RecordKey& key) { return key.kind == RecordKey::Kind::kErasure; });
}

}  // namespace

WriteQueue::WriteQueue(RecordStore& store, const Clock& clock, Metrics& metrics, std::function<void(Committed)> apply,
                       Limits limits, BeforeCommit before_commit)
    : store_(store),
      clock_(clock),
      metrics_(metrics),
      apply_(std::move(apply)),
      before_commit_(std::move(before_commit)),
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

absl::Status WriteQueue::RunItem(WriteTransaction& tx, WriteJob& job, Outcome& outcome) {
  if (job.cancelled()) {
    outcome.status =
        domain::MakeError(ErrorReason::kCallCancelled, "the caller cancelled the call; nothing was written");
    return absl::OkStatus();
  }
  const absl::Time began = clock_.Now();
  if (began > job.order.deadline) {
    outcome.status = domain::MakeError(ErrorReason::kDeadlinePassed,
                                       "the deadline passed before the write began; nothing was written");
    return absl::OkStatus();
  }
  if (auto status = tx.BeginItem(); !status.ok()) return status;
  outcome.status = job.run(tx, began);
  absl::Status whole = outcome.status.ok() && !job.validate_only ? tx.EndItem() : tx.RollbackItem();
  outcome.took = clock_.Now() - began;
  // A full disk or a failed read ends the transaction under the item: then the item's own error says why.
  return !whole.ok() && !outcome.status.ok() ? outcome.status : whole;
}

absl::Status WriteQueue::Try(std::vector<WriteJob>& batch, bool erasures_only, std::vector<Outcome>& outcomes) {
  const absl::Time started = clock_.Now();
  BatchHint hint;
  std::vector<std::size_t> mine;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (erasures_only && !Erases(batch[i])) continue;
    mine.push_back(i);
    if (!batch[i].pool.empty()) hint.pools.push_back(batch[i].pool);
    hint.reads.insert(hint.reads.end(), batch[i].reads.begin(), batch[i].reads.end());
  }
  auto tx = store_.Begin(hint);
  if (!tx.ok()) {
    metrics_.BatchCommitted(0, false, clock_.Now() - started);
    return tx.status();
  }
  absl::Status whole;  // an error that ends the transaction
  for (std::size_t i = 0; i < mine.size() && whole.ok(); ++i) whole = RunItem(**tx, batch[mine[i]], outcomes[mine[i]]);
  if (whole.ok() && before_commit_) whole = before_commit_(**tx);
  Committed committed{(*tx)->changes(), (*tx)->log_rows()};
  if (whole.ok()) whole = (*tx)->Commit();
  tx->reset();
  if (whole.ok() && !committed.changes.empty()) apply_(std::move(committed));
  metrics_.BatchCommitted(static_cast<std::int64_t>(mine.size()), whole.ok(), clock_.Now() - started);
  return whole;
}

void WriteQueue::RunBatch(std::vector<WriteJob>& batch) {
  const absl::Time started = clock_.Now();
  std::vector<Outcome> outcomes(batch.size());
  const absl::Status whole = Try(batch, false, outcomes);
  const absl::Duration took = clock_.Now() - started;
  std::vector<absl::Status> answers;
  answers.reserve(batch.size());
  for (const Outcome& outcome : outcomes) answers.push_back(outcome.status.ok() ? whole : outcome.status);
  const bool full = !whole.ok() && domain::ReasonOf(whole) == ErrorReason::kStoreFull;
  if (full && std::any_of(batch.begin(), batch.end(), Erases) && store_.ReleaseReserve()) {
    std::vector<Outcome> again(batch.size());
    const absl::Status erased = Try(batch, true, again);
    store_.KeepReserve();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (Erases(batch[i])) answers[i] = erased.ok() ? again[i].status : erased;
    }
  }
  const absl::Time answering = clock_.Now();
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].done(answers[i]);
  // An answer takes as long as a small write.
  const absl::Duration answer = (clock_.Now() - answering) / static_cast<double>(batch.size());
  const std::lock_guard lock(mutex_);
  absl::Duration overhead = took;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& ran = outcomes[i].took;
    overhead -= ran.value_or(absl::ZeroDuration());
    waiting_.Done(batch[i].order, ran ? std::optional(*ran + answer) : std::nullopt);
  }
  // Other writes fail as long as the disk is full, also where erasures do not.
  failed_at_ = whole.ok() ? absl::InfinitePast() : clock_.Now();
  if (whole.ok()) waiting_.backlog().SetOverhead(std::min(overhead, kMaxOverhead));
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
