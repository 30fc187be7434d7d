#include "bench/rpc_metrics.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "bench/rpc_load.h"
#include "support/process.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::bench {
namespace {

constexpr std::size_t kOn = 0;
constexpr std::size_t kOff = 1;
constexpr std::size_t kOnToo = 2;

struct Served {
  std::unique_ptr<testing::ServeProcess> process;
  Target match;
};

Served Start(const std::string& data_dir, std::size_t kind, const simulation::Community& community) {
  const std::string copy = data_dir + "-" + std::to_string(kind);
  std::filesystem::copy(data_dir, copy, std::filesystem::copy_options::recursive);
  std::vector<std::string> options;
  if (kind == kOff) options.emplace_back("--silent");
  Served served;
  served.process = std::make_unique<testing::ServeProcess>(copy, options, "bench_rpc_server");
  if (served.process->listens()) served.match = MatchTarget(*served.process, community);
  return served;
}

// What one match tells its metrics, over and over.
double NanosecondsPerCall() {
  constexpr int kCalls = 2'000'000;
  telemetry::PrometheusMetrics metrics("bench");
  const auto tell = [&metrics] {
    for (int i = 0; i < kCalls; ++i) {
      metrics.Matched(6'000, 700, 10, absl::Microseconds(200 + i % 50));
      metrics.CallEnded("warmline.v1.MatchService/Match", "OK", absl::Microseconds(250 + i % 50));
    }
  };
  const std::int64_t began_ns = absl::GetCurrentTimeNanos();
  std::thread other(tell);
  tell();
  other.join();
  return static_cast<double>(absl::GetCurrentTimeNanos() - began_ns) / kCalls;
}

}  // namespace

std::optional<MetricsCost> MeasureMetrics(const std::string& data_dir, const simulation::Community& community,
                                          int rounds, double seconds) {
  std::array<Served, 3> servers;
  for (std::size_t kind = 0; kind < servers.size(); ++kind) {
    servers[kind] = Start(data_dir, kind, community);
    if (!servers[kind].process->listens()) {
      std::fprintf(stderr, "bench_rpc: the server does not start: %s\n", servers[kind].process->log().c_str());
      return std::nullopt;
    }
    (void)Load(servers[kind].match, kMetricsInFlight, 2);
  }
  MetricsCost cost;
  cost.rounds = rounds;
  cost.ns_per_call = NanosecondsPerCall();
  Timings on_to_off;
  Timings on_to_on;
  std::array<std::size_t, 3> order = {kOn, kOff, kOnToo};
  for (int round = 0; round < rounds; ++round) {
    std::array<double, 3> rates{};
    for (const std::size_t kind : order) {
      const Result result = Load(servers[kind].match, kMetricsInFlight, seconds);
      if (result.failed > 0) {
        std::fprintf(stderr, "bench_rpc: %zu matches failed\n", result.failed);
        return std::nullopt;
      }
      rates[kind] = result.calls_per_second;
    }
    (void)std::next_permutation(order.begin(), order.end());
    cost.on_per_second += (rates[kOn] + rates[kOnToo]) / 2 / rounds;
    cost.off_per_second += rates[kOff] / rounds;
    on_to_off.Add((rates[kOn] + rates[kOnToo]) / 2 / rates[kOff]);
    on_to_on.Add(rates[kOnToo] / rates[kOn]);
  }
  cost.ratio = on_to_off.Quantile(0.5);
  cost.ratio_on_to_on = on_to_on.Quantile(0.5);
  cost.spread = on_to_off.Quantile(0.75) - on_to_off.Quantile(0.25);
  return cost;
}

}  // namespace warmline::bench
