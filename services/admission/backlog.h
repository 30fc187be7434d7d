// The work that waits in one queue, as numbers: how long each class takes, how much waits in each lane and flow, whose
// turn is next, and whether one more piece of work can be done in time. It holds no work itself (work_queue.h does).
// Thread-safety: none; its owner locks.
//
// Sources: start-time fair queueing (Goyal, Vin, Cheng 1996) between lanes and between flows; the two time-outs of a
// queue that was empty lately and of one that was not are those of "Fail at Scale" (Maurer, ACM Queue 2015), which
// takes them from CoDel (RFC 8289).
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <optional>

#include "admission/lane.h"

namespace warmline::admission {

// Tokens share the flows of a lane by hash.
inline constexpr int kFlows = 64;

struct BacklogLimits {
  int threads = 1;
  // Pieces of work that may wait, of all lanes.
  std::size_t max_waiting = 10'000;
  // An impatient caller may wait in the queue for at most this share of the time that is left until its deadline, and
  // at most so long: while the lane was empty within `interval`, and otherwise.
  double burst_share = 0.4;
  double standing_share = 0.25;
  absl::Duration burst_cap = absl::Seconds(1);
  absl::Duration standing_cap = absl::Milliseconds(250);
  absl::Duration interval = absl::Milliseconds(100);
  // Work that waited longer than this, or for longer than this share of the time that its caller gave, is refused
  // although it was let in, unless it is patient: the estimate was wrong.
  absl::Duration max_age = absl::Seconds(5);
  double age_share = 0.75;
};

// Why work is refused. The names are labels of metrics.
enum class Refusal : std::uint8_t { kFull, kWait, kDeadline, kDeadlinePassed, kAge };
[[nodiscard]] const char* RefusalName(Refusal refusal);

class Backlog {
 public:
  explicit Backlog(const BacklogLimits& limits) : limits_(limits) {}

  // Nothing when the work may wait; otherwise why it may not. It changes only estimates.
  [[nodiscard]] std::optional<Refusal> Refuses(const WorkOrder& order, absl::Time now);
  // The error of a refusal: RESOURCE_EXHAUSTED (OVERLOADED) with the time after which to retry, or DEADLINE_EXCEEDED.
  [[nodiscard]] absl::Status ErrorOf(Refusal refusal, const WorkOrder& order);

  void Added(const WorkOrder& order, absl::Time now);
  // `ran`: it begins to run, and Done follows; otherwise it was refused.
  void Removed(const WorkOrder& order, bool ran, absl::Time now);
  // `took`: nothing where the work was given up before it began, which says nothing of how long it takes.
  void Done(const WorkOrder& order, std::optional<absl::Duration> took);
  // What a round of work takes beside its pieces (a commit); 0 where pieces are done one by one.
  void SetOverhead(absl::Duration overhead) { overhead_us_ = absl::ToDoubleMicroseconds(overhead); }

  // The lane and the flow whose turn it is; nothing when no work waits.
  struct Turn {
    int lane = 0;
    int flow = 0;
  };
  [[nodiscard]] std::optional<Turn> Next() const;

  [[nodiscard]] absl::Duration Expected(WorkClass work_class) const;
  // How long new work of this order would wait.
  [[nodiscard]] absl::Duration ExpectedWait(const WorkOrder& order) const;
  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t waiting(Lane lane) const { return lanes_[static_cast<std::size_t>(lane)].waiting; }
  [[nodiscard]] static int FlowOf(const WorkOrder& order);

 private:
  struct Flow {
    std::size_t waiting = 0;
    double backlog_us = 0;
    double start = 0;  // the virtual time at which its next piece of work begins
  };
  struct LaneState {
    std::array<Flow, kFlows> flows;
    std::size_t waiting = 0;
    double start = 0;
    double flow_clock = 0;  // the virtual time of its flows
    absl::Time last_empty = absl::InfinitePast();
  };

  [[nodiscard]] LaneState& LaneOf(const WorkOrder& order) { return lanes_[static_cast<std::size_t>(order.lane)]; }
  [[nodiscard]] double ExpectedUs(WorkClass work_class) const;
  [[nodiscard]] double WaitUs(const WorkOrder& order) const;
  // Lowers an estimate that alone stands in the way, so that one bad measurement cannot refuse a class for ever.
  void Doubt(WorkClass work_class);

  const BacklogLimits limits_;
  std::array<LaneState, kLanes> lanes_;
  std::array<double, kWorkClasses> expected_us_{};  // 0: never measured
  std::size_t waiting_ = 0;
  int running_ = 0;
  double running_us_ = 0;
  double overhead_us_ = 0;
  double lane_clock_ = 0;  // the virtual time of the lanes
  std::uint64_t refusals_ = 0;
};

}  // namespace warmline::admission
