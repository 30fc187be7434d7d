#include "admission/backlog.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "base/hash.h"
#include "domain/error.h"

namespace warmline::admission {
namespace {

// Of a class that was never measured.
constexpr double kUnknownUs = 1'000;
// The weight of a new measurement in the running estimate.
constexpr double kLearning = 0.1;
constexpr double kDoubt = 0.95;
// However short its deadline is, a caller may wait for so many pieces of work like its own.
constexpr double kMinPiecesAhead = 2;
constexpr double kBurstPiecesAhead = 8;
// Pieces of work have no length of 0: turns would never change.
constexpr double kMinPieceUs = 1;
constexpr absl::Duration kMinRetry = absl::Milliseconds(50);
constexpr absl::Duration kMaxRetry = absl::Seconds(5);

}  // namespace

const char* RefusalName(Refusal refusal) {
  switch (refusal) {
    case Refusal::kFull:
      return "queue_full";
    case Refusal::kWait:
      return "queue_wait";
    case Refusal::kDeadline:
      return "deadline_cannot_be_met";
    case Refusal::kDeadlinePassed:
      return "deadline_passed";
    case Refusal::kAge:
      return "queue_age";
  }
  return "unknown";
}

int Backlog::FlowOf(const WorkOrder& order) {
  // Mixed, so that the flow of a token does not follow from how a caller chose the token.
  return static_cast<int>((order.flow * 0x9E3779B97F4A7C15ULL) >> 58U);
}

double Backlog::ExpectedUs(WorkClass work_class) const {
  const double measured = expected_us_[static_cast<std::size_t>(work_class)];
  return measured > 0 ? measured : kUnknownUs;
}

absl::Duration Backlog::Expected(WorkClass work_class) const { return absl::Microseconds(ExpectedUs(work_class)); }

absl::Duration Backlog::ExpectedWait(const WorkOrder& order) const { return absl::Microseconds(WaitUs(order)); }

double Backlog::WaitUs(const WorkOrder& order) const {
  const LaneState& lane = lanes_[static_cast<std::size_t>(order.lane)];
  const double own = lane.flows[static_cast<std::size_t>(FlowOf(order))].backlog_us;
  // Flows take turns, so another flow delays this one by no more than what waits in this one already, and one piece.
  const double turn = own + ExpectedUs(order.work_class);
  double ahead_us = own;
  for (int i = 0; i < kFlows; ++i) {
    const Flow& flow = lane.flows[static_cast<std::size_t>(i)];
    if (flow.waiting > 0 && i != FlowOf(order)) ahead_us += std::min(flow.backlog_us, turn);
  }
  double shares = ShareOf(order.lane).share;
  for (int i = 0; i < kLanes; ++i) {
    if (i != static_cast<int>(order.lane) && lanes_[static_cast<std::size_t>(i)].waiting > 0)
      shares += kLaneShares[static_cast<std::size_t>(i)].share;
  }
  const double rate = limits_.threads * ShareOf(order.lane).share / shares;
  // What runs now is half done on average.
  const double busy_us = running_ >= limits_.threads ? running_us_ / (2.0 * limits_.threads) : 0;
  return ahead_us / rate + busy_us + overhead_us_;
}

std::optional<Refusal> Backlog::Refuses(const WorkOrder& order, absl::Time now) {
  if (now > order.deadline) return Refusal::kDeadlinePassed;
  if (waiting_ >= limits_.max_waiting) return Refusal::kFull;
  if (order.patient) return std::nullopt;
  const double wait_us = WaitUs(order);
  const double piece_us = ExpectedUs(order.work_class);
  const double left_us = absl::ToDoubleMicroseconds(order.deadline - now);  // infinite without a deadline
  if (wait_us + piece_us + overhead_us_ > left_us) {
    if (waiting_ == 0) Doubt(order.work_class);
    return Refusal::kDeadline;
  }
  LaneState& lane = LaneOf(order);
  if (lane.waiting == 0) lane.last_empty = now;
  const bool standing = now - lane.last_empty > limits_.interval;
  const double cap_us = absl::ToDoubleMicroseconds(standing ? limits_.standing_cap : limits_.burst_cap);
  const double least_us =
      (standing ? kMinPiecesAhead : kBurstPiecesAhead) * piece_us / limits_.threads + 2 * overhead_us_;
  const double allowed_us =
      std::max(std::min(left_us * (standing ? limits_.standing_share : limits_.burst_share), cap_us), least_us);
  if (wait_us > allowed_us) return Refusal::kWait;
  return std::nullopt;
}

void Backlog::Doubt(WorkClass work_class) {
  double& expected = expected_us_[static_cast<std::size_t>(work_class)];
  expected *= kDoubt;
  overhead_us_ *= kDoubt;
}

absl::Status Backlog::ErrorOf(Refusal refusal, const WorkOrder& order) {
  using domain::ErrorReason;
  if (refusal == Refusal::kDeadlinePassed)
    return domain::MakeError(ErrorReason::kDeadlinePassed,
                             "the deadline passed before the work began; nothing was done");
  const absl::Duration wait = ExpectedWait(order);
  // Spread out, so that those who are refused together do not come back together.
  const double spread = 0.5 + static_cast<double>(base::Hash64(absl::StrCat("retry", ++refusals_)) % 1024) / 1024.0;
  const absl::Duration retry = std::clamp(2 * spread * wait, kMinRetry * (0.5 + spread), kMaxRetry);
  if (refusal == Refusal::kDeadline) {
    return domain::MakeError(ErrorReason::kOverloaded,
                             "the answer would come after the deadline: allow more time, or try again at a lower rate",
                             retry);
  }
  return domain::MakeError(ErrorReason::kOverloaded,
                           absl::StrCat("too much work of the lane ", ShareOf(order.lane).name,
                                        " is waiting already: try again later, at a lower rate"),
                           retry);
}

void Backlog::Added(const WorkOrder& order, absl::Time now) {
  LaneState& lane = LaneOf(order);
  Flow& flow = lane.flows[static_cast<std::size_t>(FlowOf(order))];
  if (lane.waiting == 0) {
    lane.last_empty = now;
    lane.start = std::max(lane.start, lane_clock_);
  }
  if (flow.waiting == 0) flow.start = std::max(flow.start, lane.flow_clock);
  const double piece_us = ExpectedUs(order.work_class);
  ++waiting_;
  ++lane.waiting;
  ++flow.waiting;
  flow.backlog_us += piece_us;
}

void Backlog::Removed(const WorkOrder& order, bool ran, absl::Time now) {
  LaneState& lane = LaneOf(order);
  Flow& flow = lane.flows[static_cast<std::size_t>(FlowOf(order))];
  const double piece_us = ExpectedUs(order.work_class);
  --waiting_;
  --lane.waiting;
  --flow.waiting;
  // The estimate may have changed since it was added: the sum starts anew whenever nothing waits.
  flow.backlog_us = flow.waiting == 0 ? 0 : std::max(0.0, flow.backlog_us - piece_us);
  if (lane.waiting == 0) lane.last_empty = now;
  if (!ran) return;
  const double length = std::max(piece_us, kMinPieceUs);
  lane_clock_ = lane.start;
  lane.flow_clock = flow.start;
  lane.start += length / ShareOf(order.lane).share;
  flow.start += length;
  ++running_;
  running_us_ += piece_us;
}

void Backlog::Done(const WorkOrder& order, std::optional<absl::Duration> took) {
  double& expected = expected_us_[static_cast<std::size_t>(order.work_class)];
  const double before_us = ExpectedUs(order.work_class);
  --running_;
  running_us_ = running_ == 0 ? 0 : std::max(0.0, running_us_ - before_us);
  if (!took) return;
  const double took_us = absl::ToDoubleMicroseconds(*took);
  expected = expected > 0 ? expected + kLearning * (took_us - expected) : took_us;
  expected = std::max(expected, kMinPieceUs);
  // The turns were given by the estimate; what it took beyond that counts too.
  LaneState& lane = LaneOf(order);
  lane.start += (took_us - before_us) / ShareOf(order.lane).share;
  lane.flows[static_cast<std::size_t>(FlowOf(order))].start += took_us - before_us;
}

std::optional<Backlog::Turn> Backlog::Next() const {
  std::optional<Turn> best;
  for (int i = 0; i < kLanes; ++i) {
    const LaneState& lane = lanes_[static_cast<std::size_t>(i)];
    if (lane.waiting == 0) continue;
    if (!best || lane.start < lanes_[static_cast<std::size_t>(best->lane)].start) best = Turn{i, -1};
  }
  if (!best) return std::nullopt;
  const LaneState& lane = lanes_[static_cast<std::size_t>(best->lane)];
  for (int i = 0; i < kFlows; ++i) {
    const Flow& flow = lane.flows[static_cast<std::size_t>(i)];
    if (flow.waiting == 0) continue;
    if (best->flow < 0 || flow.start < lane.flows[static_cast<std::size_t>(best->flow)].start) best->flow = i;
  }
  return best;
}

}  // namespace warmline::admission
