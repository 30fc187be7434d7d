// What work is, for the queues that hold it: its lane, its class and its order. Values; thread-safe as such.
#pragma once

#include <absl/time/time.h>

#include <array>
#include <cstdint>

namespace warmline::admission {

// Work of one lane never waits behind all work of another: each lane has a guaranteed share of a queue's threads. What
// a lane does not use, the others may.
enum class Lane : std::uint8_t { kOperations, kIntroductions, kMatches, kBulk };
inline constexpr int kLanes = 4;

struct LaneShare {
  const char* name;  // in metrics and docs
  double share;      // of the time of all threads, while every lane has work
};
inline constexpr std::array<LaneShare, kLanes> kLaneShares = {{
    {"operations", 0.15},     // operators, and what probes and consoles ask
    {"introductions", 0.35},  // introductions, and the writes and reads of single records
    {"matches", 0.35},        // single matches, explanations and suggestions
    {"bulk", 0.15},           // streams, watches, imports, exports and cohorts
}};
[[nodiscard]] constexpr const LaneShare& ShareOf(Lane lane) { return kLaneShares[static_cast<std::size_t>(lane)]; }

// Work of one class takes about as long each time: a queue keeps one running estimate a class.
enum class WorkClass : std::uint8_t {
  kMatch,
  kReadRows,      // a message of an import, before it is written
  kMatchCounted,  // with counts of what each rule removed: every candidate is looked at
  kExplain,
  kSuggest,
  kPlanAsk,
  kRead,
  kList,
  kExportPage,
  kWatch,
  kWrite,
  kWriteRows,  // a message of an import
  kInternal,   // timers, retention, statistics
  kCohort,
};
inline constexpr int kWorkClasses = 14;

struct WorkOrder {
  Lane lane = Lane::kIntroductions;
  WorkClass work_class = WorkClass::kInternal;
  // Whose work it is, for example a hash of a token. The flows of a lane take turns.
  std::uint64_t flow = 0;
  absl::Time deadline = absl::InfiniteFuture();
  // Waits for as long as it takes, where impatient work is refused at once if it would wait too long. For work that
  // holds its caller back, as the steps of a stream do, and for the server's own.
  bool patient = true;
};

}  // namespace warmline::admission
