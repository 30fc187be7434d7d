// The queue of admitted work with a clock of its own: turns, shares, deadlines, estimates, and what an open-loop storm
// leaves of it.
#include "admission/work_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "domain/error.h"

namespace warmline::admission {
namespace {

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(500'000);

WorkOrder Order(Lane lane, std::uint64_t flow, absl::Time deadline = absl::InfiniteFuture()) {
  return {.lane = lane, .work_class = WorkClass::kMatch, .flow = flow, .deadline = deadline, .patient = false};
}

// Teaches a queue that work of a class takes so long.
void Teach(WorkQueue<int>& queue, absl::Duration took) {
  for (int i = 0; i < 200; ++i) {
    int payload = -1;
    ASSERT_FALSE(queue.Push(Order(Lane::kMatches, 0), payload, kStart));
    ASSERT_TRUE(queue.Pop(kStart));
    queue.Done(Order(Lane::kMatches, 0), took);
  }
}

TEST(WorkQueue, KeepsTheOrderOfAFlow) {
  WorkQueue<int> queue({}, true);
  for (int i = 0; i < 5; ++i) {
    int payload = i;
    ASSERT_FALSE(queue.Push(Order(Lane::kMatches, 1), payload, kStart));
  }
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.Pop(kStart)->payload, i);
  EXPECT_FALSE(queue.Pop(kStart));
}

// Two flows that hash to different places, whatever the hash.
std::pair<std::uint64_t, std::uint64_t> TwoFlows() {
  for (std::uint64_t other = 2;; ++other) {
    if (Backlog::FlowOf(Order(Lane::kMatches, other)) != Backlog::FlowOf(Order(Lane::kMatches, 1))) return {1, other};
  }
}

TEST(WorkQueue, AFloodOfOneFlowDelaysAnotherByOnePiece) {
  const auto [flood, other] = TwoFlows();
  WorkQueue<int> queue({.max_waiting = 10'000}, true);
  Teach(queue, absl::Milliseconds(1));
  int payload = 0;
  for (int i = 0; i < 500; ++i) (void)queue.Push(Order(Lane::kMatches, flood), payload, kStart);
  ASSERT_GT(queue.size(), 50U);
  const WorkOrder late = Order(Lane::kMatches, other, kStart + absl::Milliseconds(10));
  EXPECT_LE(queue.backlog().ExpectedWait(late), absl::Milliseconds(3));
  payload = 7;
  EXPECT_FALSE(queue.Push(late, payload, kStart)) << "the flood of another token refused this one";
  const auto first = queue.Pop(kStart);
  queue.Done(first->order, absl::Milliseconds(1));
  EXPECT_TRUE(first->payload == 7 || queue.Pop(kStart)->payload == 7);
}

TEST(WorkQueue, EachLaneHasItsShareWhileAllHaveWork) {
  WorkQueue<int> queue({.max_waiting = 100'000}, true);
  std::map<int, int> done;
  WorkOrder order;  // patient
  order.work_class = WorkClass::kMatch;
  for (int round = 0; round < 1'000; ++round) {
    for (int lane = 0; lane < kLanes; ++lane) {
      order.lane = static_cast<Lane>(lane);
      for (int payload = lane; queue.backlog().waiting(order.lane) < 3;)
        ASSERT_FALSE(queue.Push(order, payload, kStart));
    }
    const auto taken = queue.Pop(kStart);
    // Bulk work takes ten times as long as is known at first: its share is of time, not of pieces.
    queue.Done(taken->order, absl::Milliseconds(1));
    ++done[static_cast<int>(taken->order.lane)];
  }
  for (int lane = 0; lane < kLanes; ++lane)
    EXPECT_NEAR(done[lane] / 1'000.0, kLaneShares[static_cast<std::size_t>(lane)].share, 0.02) << lane;
}

TEST(WorkQueue, WorkThatCannotBeInTimeIsRefusedBeforeItWaits) {
  WorkQueue<int> queue({}, true);
  Teach(queue, absl::Milliseconds(20));
  int payload = 0;
  EXPECT_EQ(queue.Push(Order(Lane::kMatches, 1, kStart - absl::Milliseconds(1)), payload, kStart),
            Refusal::kDeadlinePassed);
  EXPECT_EQ(queue.Push(Order(Lane::kMatches, 1, kStart + absl::Milliseconds(5)), payload, kStart), Refusal::kDeadline);
  EXPECT_FALSE(queue.Push(Order(Lane::kMatches, 1, kStart + absl::Milliseconds(50)), payload, kStart));
  const auto error = queue.backlog().ErrorOf(Refusal::kDeadline, Order(Lane::kMatches, 1));
  EXPECT_EQ(domain::ReasonOf(error), domain::ErrorReason::kOverloaded);
  EXPECT_TRUE(domain::RetryAfterOf(error).has_value());
  EXPECT_EQ(queue.backlog().ErrorOf(Refusal::kDeadlinePassed, Order(Lane::kMatches, 1)).code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(WorkQueue, ABadEstimateDoesNotRefuseForEver) {
  WorkQueue<int> queue({}, true);
  Teach(queue, absl::Seconds(1));  // a pause of the machine, say
  int refused = 0;
  int payload = 0;
  while (queue.Push(Order(Lane::kMatches, 1, kStart + absl::Milliseconds(50)), payload, kStart))
    ASSERT_LT(++refused, 500);
  EXPECT_GT(refused, 0);
}

TEST(WorkQueue, HasABound) {
  WorkQueue<int> queue({.max_waiting = 3}, true);
  WorkOrder order;
  for (int i = 0; i < 3; ++i) {
    int payload = i;
    ASSERT_FALSE(queue.Push(order, payload, kStart));
  }
  int payload = 42;
  EXPECT_EQ(queue.Push(order, payload, kStart), Refusal::kFull);
  EXPECT_EQ(payload, 42) << "what was refused stays with its caller";
}

TEST(WorkQueue, AQueueThatFellBehindWorksFromItsNewestEnd) {
  for (const bool newest_first : {true, false}) {
    WorkQueue<int> queue({}, newest_first);
    for (int i = 0; i < 4; ++i) {
      int payload = i;
      const absl::Time now = kStart + absl::Milliseconds(i);
      ASSERT_FALSE(queue.Push(Order(Lane::kMatches, 1, now + absl::Milliseconds(100)), payload, now));
    }
    // The machine paused. What has waited for too long is refused while its caller still waits; then the newest is
    // done.
    const absl::Time late = kStart + absl::Microseconds(75'500);
    EXPECT_EQ(queue.Pop(late)->refused, Refusal::kAge);
    for (int payload : {10, 11})
      ASSERT_FALSE(queue.Push(Order(Lane::kMatches, 1, late + absl::Milliseconds(100)), payload, late));
    for (int i = 1; i < 4; ++i) EXPECT_EQ(queue.Pop(late)->refused, Refusal::kAge) << i;
    const auto done = queue.Pop(late);
    EXPECT_FALSE(done->refused);
    EXPECT_EQ(done->payload, newest_first ? 11 : 10);
    EXPECT_EQ(queue.Pop(late + absl::Milliseconds(101))->refused, Refusal::kDeadlinePassed);
  }
}

TEST(WorkQueue, PatientWorkKeepsItsOrderAndIsNeverRefusedForItsAge) {
  WorkQueue<int> queue({}, true);
  WorkOrder order;
  for (int i = 0; i < 3; ++i) {
    int payload = i;
    ASSERT_FALSE(queue.Push(order, payload, kStart));
  }
  for (int i = 0; i < 3; ++i) {
    const auto taken = queue.Pop(kStart + absl::Hours(1));
    EXPECT_EQ(taken->payload, i);
    EXPECT_FALSE(taken->refused);
  }
}

// What an open-loop storm on one thread leaves: answers in time a second, and how long those took that were let in.
struct Storm {
  double goodput = 0;
  absl::Duration p99;
  std::size_t most_waiting = 0;
};

// Poisson arrivals at `load` times the capacity, with deadlines of 100 ms; each takes 3 ms, give or take a half.
Storm Play(double load, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  WorkQueue<absl::Time> queue({}, true);
  constexpr double kServiceMs = 3;
  std::exponential_distribution<double> gap_ms(load / kServiceMs);
  std::uniform_real_distribution<double> service_ms(kServiceMs / 2, kServiceMs * 1.5);
  const absl::Time end = kStart + absl::Seconds(60);
  absl::Time arrival = kStart;
  absl::Time free_at = kStart;
  std::vector<absl::Duration> latencies;
  std::int64_t good = 0;
  Storm storm;
  const auto serve_until = [&](absl::Time until) {
    while (free_at <= until) {
      auto taken = queue.Pop(free_at);
      if (!taken) break;
      if (taken->refused) continue;
      const absl::Duration took = absl::Milliseconds(service_ms(random));
      free_at += took;
      queue.Done(taken->order, took);
      latencies.push_back(free_at - taken->payload);
      good += free_at <= taken->order.deadline ? 1 : 0;
    }
    free_at = std::max(free_at, until);
  };
  while (arrival < end) {
    arrival += absl::Milliseconds(gap_ms(random));
    if (free_at < arrival) serve_until(arrival);
    absl::Time payload = arrival;
    (void)queue.Push(Order(Lane::kMatches, 1, arrival + absl::Milliseconds(100)), payload, arrival);
    storm.most_waiting = std::max(storm.most_waiting, queue.size());
  }
  std::sort(latencies.begin(), latencies.end());
  storm.goodput = static_cast<double>(good) / 60 * kServiceMs / 1'000;
  storm.p99 = latencies[latencies.size() * 99 / 100];
  return storm;
}

TEST(WorkQueue, AStormLeavesTheGoodput) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  const Storm peak = Play(0.95, seed);
  EXPECT_GT(peak.goodput, 0.9);
  for (const double load : {1.0, 2.0, 5.0, 10.0}) {
    const Storm storm = Play(load, seed);
    EXPECT_GE(storm.goodput, 0.9 * peak.goodput) << load;
    EXPECT_LE(storm.p99, std::max(3 * peak.p99, absl::Milliseconds(60))) << load;
    EXPECT_LT(storm.most_waiting, 100U) << load;
  }
}

}  // namespace
}  // namespace warmline::admission
