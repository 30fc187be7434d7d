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
  double ratio = 0;   // the median of the rounds' ratios
  double spread = 0;  // between the quartiles of the rounds' ratios
};

// Of matches on a data directory that was filled before and that no server uses now. Each round starts the server anew
// twice, with and without, in an order that changes. Nothing, with a message, when it cannot.
[[nodiscard]] std::optional<MetricsCost> MeasureMetrics(const std::string& data_dir,
                                                        const simulation::Community& community, int rounds,
                                                        double seconds);

}  // namespace warmline::bench
