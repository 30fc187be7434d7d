#include "bench/rpc_metrics.h"

#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "bench/rpc_load.h"
#include "support/process.h"

namespace warmline::bench {
namespace {

// Calls a second; 0 when some failed.
double Rate(const std::string& data_dir, const simulation::Community& community, bool metrics, double seconds) {
  testing::ServeProcess server(data_dir, metrics ? std::vector<std::string>{} : std::vector<std::string>{"--silent"},
                               "bench_rpc_server");
  if (!server.listens()) return 0;
  const Target match = MatchTarget(server, community);
  (void)Load(match, kMetricsInFlight, 1);
  const Result result = Load(match, kMetricsInFlight, seconds);
  server.Signal(SIGINT);
  (void)server.WaitForEnd();
  return result.failed == 0 ? result.calls_per_second : 0;
}

double Quantile(std::vector<double> sorted, double q) {
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
}

}  // namespace

std::optional<MetricsCost> MeasureMetrics(const std::string& data_dir, const simulation::Community& community,
                                          int rounds, double seconds) {
  MetricsCost cost;
  cost.rounds = rounds;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    double on = 0;
    double off = 0;
    for (const bool metrics : {round % 2 == 0, round % 2 != 0})
      (metrics ? on : off) = Rate(data_dir, community, metrics, seconds);
    if (on == 0 || off == 0) {
      std::fprintf(stderr, "bench_rpc: matches failed, with metrics or without\n");
      return std::nullopt;
    }
    cost.on_per_second += on / rounds;
    cost.off_per_second += off / rounds;
    ratios.push_back(on / off);
  }
  cost.ratio = Quantile(ratios, 0.5);
  cost.spread = Quantile(ratios, 0.75) - Quantile(ratios, 0.25);
  return cost;
}

}  // namespace warmline::bench
