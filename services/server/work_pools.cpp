#include "server/work_pools.h"

#include "server/process_limits.h"

namespace warmline::server {
namespace {

using admission::Lane;

constexpr std::size_t kMaxWaiting = 10'000;
constexpr std::size_t kMaxWaitingLongWork = 8;
// A write that waits longer says that none is taken.
constexpr absl::Duration kMaxWriteAge = absl::Seconds(5);
// The store answers each poll; so many missed ones say that it does not.
constexpr int kMissedPolls = 3;
constexpr absl::Duration kPollGrace = absl::Seconds(2);

admission::WorkPool::OnRefused Counter(application::Metrics& metrics) {
  return [&metrics](Lane lane, admission::Refusal refusal) {
    metrics.WorkRefused(admission::RefusalName(refusal), admission::ShareOf(lane).name);
  };
}

}  // namespace

WorkPools::WorkPools(int match_threads, int read_threads, application::Metrics& metrics)
    : metrics_(metrics),
      matching_({.threads = match_threads > 0 ? match_threads : UsableProcessors(), .max_waiting = kMaxWaiting},
                Counter(metrics)),
      reads_({.threads = read_threads, .max_waiting = kMaxWaiting}, Counter(metrics)),
      long_work_({.threads = 1, .max_waiting = kMaxWaitingLongWork}, Counter(metrics)) {}

void WorkPools::Report(const application::WriteQueue& writes) const {
  for (int i = 0; i < admission::kLanes; ++i) {
    const auto lane = static_cast<Lane>(i);
    const auto publish = [&](const char* queue, const admission::LaneReading& reading) {
      metrics_.QueueSeen(queue, admission::ShareOf(lane).name, reading.waiting, reading.oldest);
    };
    publish("matching", matching_.Reading(lane));
    publish("reads", reads_.Reading(lane));
    publish("long", long_work_.Reading(lane));
    publish("writes", writes.Reading(lane));
  }
}

bool WritesServed(const application::WriteQueue& writes, absl::Duration staleness, absl::Duration poll_interval) {
  if (staleness > kMissedPolls * poll_interval + kPollGrace) return false;
  if (!writes.LastCommitKept()) return false;
  for (int i = 0; i < admission::kLanes; ++i) {
    if (writes.Reading(static_cast<Lane>(i)).oldest > kMaxWriteAge) return false;
  }
  return true;
}

}  // namespace warmline::server
