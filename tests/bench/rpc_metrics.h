// What metrics cost a call: the same server with them and without. One thread.
#pragma once

#include <optional>
#include <string>

#include "simulation/community.h"

namespace warmline::bench {

inline constexpr int kMetricsInFlight = 16;

struct MetricsCost {
  int rounds = 0;
  double on_per_second = 0;  // means
  double off_per_second = 0;
  double ratio = 0;           // on to off: the median of the rounds' ratios
  double ratio_on_to_on = 0;  // of two servers that both have metrics: how exact the other figure is
  double spread = 0;          // between the quartiles of the rounds' ratios of on to off
  double ns_per_call = 0;     // what a match tells its metrics, by two threads at once, with nothing else between
};

// Of matches on a data directory that was filled before and that no server uses now. Three servers, each on a copy of
// it: two with metrics and one without. Each round loads one after the other for a moment, in an order that changes, so
// that what else the machine does meets all alike. Nothing, with a message, when it cannot.
[[nodiscard]] std::optional<MetricsCost> MeasureMetrics(const std::string& data_dir,
                                                        const simulation::Community& community, int rounds,
                                                        double seconds);

}  // namespace warmline::bench
