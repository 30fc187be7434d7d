// An open-loop load: calls are sent when they are due, whether or not earlier ones were answered, as independent
// callers do. Times count from when a call was due, so a generator that falls behind cannot hide a wait. One thread.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <vector>

#include "bench/rpc_load.h"

namespace warmline::bench {

struct OpenLoop {
  double per_second = 100;
  absl::Duration length = absl::Seconds(5);
  absl::Duration deadline = absl::Milliseconds(100);
  int connections = 32;
  std::uint64_t seed = 1;
};

// What came of one load.
struct Outcome {
  double offered_per_second = 0;
  double goodput_per_second = 0;  // answered with OK before the deadline
  Timings admitted_us;            // of answers with OK
  Timings refused_us;             // of RESOURCE_EXHAUSTED
  std::size_t late = 0;           // DEADLINE_EXCEEDED, wherever it was noticed
  std::size_t other = 0;          // any other end
  struct Window {
    int sent = 0;
    int good = 0;
  };
  std::vector<Window> windows;  // of kWindow, by when calls were due
  double generator_lag_ms = 0;  // the most by which a call was sent late
};
inline constexpr absl::Duration kWindow = absl::Milliseconds(250);

// Poisson arrivals over many connections; each call is one of the next target's requests, by turns.
[[nodiscard]] Outcome RunOpenLoop(const std::vector<Target>& targets, const OpenLoop& load);

}  // namespace warmline::bench
