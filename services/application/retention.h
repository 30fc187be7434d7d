// What is unused for as long as the pool's policy says is announced, and after the time of notice erased: members who
// do nothing, and introductions that ended. Any number of replicas may do it: each step looks again inside its
// transaction.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "application/clock.h"
#include "application/metrics.h"
#include "application/record_store.h"
#include "application/write_queue.h"
#include "base/stop_signal.h"

namespace warmline::application {

enum class RetentionStep { kNothing, kAnnounced, kKept, kErased };

// What is due of one of them, by `now`; done already where it is not kNothing. kKept: it was announced, and is used
// again. Errors: NOT_FOUND (POOL_NOT_FOUND).
[[nodiscard]] absl::StatusOr<RetentionStep> RetainMember(WriteTransaction& tx, const std::string& pool,
                                                         const std::string& id, absl::Time now);
[[nodiscard]] absl::StatusOr<RetentionStep> RetainIntroduction(WriteTransaction& tx, const std::string& pool,
                                                               const std::string& id, absl::Time now);

// Looks through every pool that has such a rule, once when it starts and then every hour, a page at a time, on a thread
// of its own. Thread-safety: Stop from any thread.
class RetentionSweeper {
 public:
  static constexpr absl::Duration kInterval = absl::Hours(1);
  static constexpr int kPage = 500;

  RetentionSweeper(RecordStore& store, WriteQueue& writes, const Clock& clock, Metrics& metrics,
                   absl::Duration interval = kInterval);
  ~RetentionSweeper();
  RetentionSweeper(const RetentionSweeper&) = delete;
  RetentionSweeper& operator=(const RetentionSweeper&) = delete;
  void Stop();

 private:
  using Step = std::function<absl::StatusOr<RetentionStep>(WriteTransaction&, absl::Time)>;
  void Loop();
  // False when it must end, or the store is away.
  bool Sweep();
  bool SweepMembers(const domain::Pool& pool);
  bool SweepIntroductions(const domain::Pool& pool);
  bool Do(const std::string& pool, std::vector<RecordKey> reads, Step step);

  RecordStore& store_;
  WriteQueue& writes_;
  const Clock& clock_;
  Metrics& metrics_;
  const absl::Duration interval_;
  base::StopSignal stop_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace warmline::application
