// The one way to write: jobs queue up, one thread runs many of them in one transaction (group commit), makes them
// durable together, applies them to the index, and answers each. Thread-safety: all calls from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "admission/work_queue.h"
#include "application/clock.h"
#include "application/metrics.h"
#include "application/record_store.h"

namespace warmline::application {

struct WriteJob {
  // The pool that it writes, "" for none that exists; and what it will read there, as a hint.
  std::string pool;
  std::vector<RecordKey> reads;
  // Runs on the writing thread, in an item of its own: an error undoes what it wrote, and nothing else.
  std::function<absl::Status(WriteTransaction&, absl::Time now)> run;
  // Called once, on the writing thread, after the write is durable and visible, or with the error.
  std::function<void(const absl::Status&)> done;
  // Undo also what succeeded: a dry run.
  bool validate_only = false;
  // Its lane, whose it is, and how long its caller waits. What says nothing is the server's own, and waits patiently.
  admission::WorkOrder order;
  std::function<bool()> cancelled = [] { return false; };
};

class WriteQueue {
 public:
  // What a group commit made durable, in order.
  struct Committed {
    std::vector<std::pair<std::string, domain::Change>> changes;
    std::vector<LogRow> log_rows;
  };
  struct Limits {
    std::size_t max_waiting = 20'000;
    std::size_t max_batch = 512;
    // A batch holds no more work than is expected to take so long, and at least one job.
    absl::Duration max_batch_time = absl::Milliseconds(50);
  };

  // What a batch still writes once its items are done; its error undoes the batch.
  using BeforeCommit = std::function<absl::Status(WriteTransaction&)>;

  // `apply` makes committed changes visible; both run on the writing thread.
  WriteQueue(RecordStore& store, const Clock& clock, Metrics& metrics, std::function<void(Committed)> apply,
             Limits limits, BeforeCommit before_commit = {});
  // Finishes what is queued.
  ~WriteQueue();
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  // Errors (then `done` is never called): RESOURCE_EXHAUSTED (OVERLOADED), DEADLINE_EXCEEDED; UNAVAILABLE (DRAINING)
  // after Stop.
  [[nodiscard]] absl::Status Submit(WriteJob job);
  // Submits a job without `done`, and waits until it is. Not on the writing thread. Errors: also those of the write.
  [[nodiscard]] absl::Status Run(WriteJob job);
  // What Submit would say now to a job of this order, before the work of making one.
  [[nodiscard]] absl::Status Refuses(const admission::WorkOrder& order);
  [[nodiscard]] admission::LaneReading Reading(admission::Lane lane) const;
  // False from a commit that failed until one is kept, or until none was tried for a while.
  [[nodiscard]] bool LastCommitKept() const;
  // Takes no more jobs and waits for those queued.
  void Stop();

 private:
  void Loop();
  // Takes the next jobs out of the queue; those that waited in vain are answered.
  std::vector<WriteJob> NextBatch(std::unique_lock<std::mutex>& lock);
  // What came of a job, and how long it took if it was run.
  struct Outcome {
    absl::Status status;
    std::optional<absl::Duration> took;
  };
  void RunBatch(std::vector<WriteJob>& batch);
  // Runs the jobs and commits; the error of the whole. With `erasures_only` the others are left alone: the disk is
  // full.
  absl::Status Try(std::vector<WriteJob>& batch, bool erasures_only, std::vector<Outcome>& outcomes);
  absl::Status RunItem(WriteTransaction& tx, WriteJob& job, Outcome& outcome);
  [[nodiscard]] absl::Status RefusedLocked(const admission::WorkOrder& order,
                                           std::optional<admission::Refusal> refusal);

  RecordStore& store_;
  const Clock& clock_;
  Metrics& metrics_;
  const std::function<void(Committed)> apply_;
  const BeforeCommit before_commit_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  admission::WorkQueue<WriteJob> waiting_;       // guarded by mutex_
  bool stopping_ = false;                        // guarded by mutex_
  absl::Time failed_at_ = absl::InfinitePast();  // guarded by mutex_; of the last commit, if that failed
  std::thread thread_;
};

// Runs `write` once per request id: a retry with the same id and fingerprint gets the reply that was kept, another
// fingerprint FAILED_PRECONDITION (REQUEST_ID_REUSED). `write` fills the reply and names the member whose data it holds
// ("" for none).
[[nodiscard]] absl::Status RunOnce(WriteTransaction& tx, const std::string& pool, const std::string& request_id,
                                   std::uint64_t fingerprint, absl::Time now, std::string* reply,
                                   const std::function<absl::Status(std::string* subject)>& write);

}  // namespace warmline::application
