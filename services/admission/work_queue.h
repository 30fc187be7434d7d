// Work that waits, by lane and flow, with the decisions of backlog.h. Whoever takes work from it calls Done when the
// work is done. Thread-safety: none; its owner locks.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "admission/backlog.h"

namespace warmline::admission {

// One lane as it is now, for metrics.
struct LaneReading {
  std::int64_t waiting = 0;
  absl::Duration oldest;  // how long the oldest work has waited
};

template <typename Payload>
class WorkQueue {
 public:
  // `newest_first`: for a while after work had to be refused for its age, a lane is worked off from its newest end,
  // where callers still wait. Without it, work of one flow runs in the order in which it came.
  WorkQueue(const BacklogLimits& limits, bool newest_first)
      : limits_(limits), newest_first_(newest_first), backlog_(limits) {}

  // Takes the work, or says why not and leaves it with the caller.
  [[nodiscard]] std::optional<Refusal> Push(const WorkOrder& order, Payload& payload, absl::Time now) {
    if (const auto refusal = backlog_.Refuses(order, now)) return refusal;
    backlog_.Added(order, now);
    Items(static_cast<int>(order.lane), Backlog::FlowOf(order)).push_back({order, now, std::move(payload)});
    return std::nullopt;
  }

  struct Taken {
    WorkOrder order;
    Payload payload;
    std::optional<Refusal> refused;  // when set, the caller is told so, and the work is not done
  };
  // The next piece of work, or one that has waited in vain; nothing when the queue is empty.
  [[nodiscard]] std::optional<Taken> Pop(absl::Time now) {
    const auto turn = backlog_.Next();
    if (!turn) return std::nullopt;
    std::deque<Item>& items = Items(turn->lane, turn->flow);
    absl::Time& behind_until = behind_until_[static_cast<std::size_t>(turn->lane)];
    const bool behind = now < behind_until;
    const auto refusal = WaitedInVain(items.front(), behind, now);
    if (refusal && !behind) behind_until = now + limits_.interval;
    const bool newest = !refusal && newest_first_ && behind && !items.back().order.patient;
    Item item = std::move(newest ? items.back() : items.front());
    if (newest) {
      items.pop_back();
    } else {
      items.pop_front();
    }
    backlog_.Removed(item.order, !refusal, now);
    return Taken{item.order, std::move(item.payload), refusal};
  }

  void Done(const WorkOrder& order, std::optional<absl::Duration> took) { backlog_.Done(order, took); }
  [[nodiscard]] bool empty() const { return backlog_.waiting() == 0; }
  [[nodiscard]] std::size_t size() const { return backlog_.waiting(); }
  [[nodiscard]] Backlog& backlog() { return backlog_; }

  [[nodiscard]] LaneReading Reading(Lane lane, absl::Time now) const {
    LaneReading reading;
    reading.waiting = static_cast<std::int64_t>(backlog_.waiting(lane));
    for (const std::deque<Item>& items : items_[static_cast<std::size_t>(lane)]) {
      if (!items.empty()) reading.oldest = std::max(reading.oldest, now - items.front().since);
    }
    return reading;
  }

 private:
  struct Item {
    WorkOrder order;
    absl::Time since;
    Payload payload;
  };

  [[nodiscard]] std::deque<Item>& Items(int lane, int flow) {
    return items_[static_cast<std::size_t>(lane)][static_cast<std::size_t>(flow)];
  }
  // In a lane that is behind, what new work would not be let in for has waited for too long already: so the lane is
  // soon no longer behind, instead of letting its oldest work starve.
  [[nodiscard]] std::optional<Refusal> WaitedInVain(const Item& item, bool behind, absl::Time now) const {
    if (now > item.order.deadline) return Refusal::kDeadlinePassed;
    if (item.order.patient) return std::nullopt;
    const absl::Duration waited = now - item.since;
    // Refused while its caller still waits, and can do something else.
    const double share = behind ? limits_.standing_share : limits_.age_share;
    if (waited > limits_.max_age || waited > share * (item.order.deadline - item.since)) return Refusal::kAge;
    return std::nullopt;
  }

  const BacklogLimits limits_;
  const bool newest_first_;
  Backlog backlog_;
  std::array<absl::Time, kLanes> behind_until_;
  std::array<std::array<std::deque<Item>, kFlows>, kLanes> items_;
};

}  // namespace warmline::admission
