// Histograms that many threads observe at once without a shared lock or line of cache: each thread counts in a stripe
// of its own, and a scrape adds the stripes up (prometheus-cpp 1.0 takes a mutex at each observation). Thread-safety:
// all calls from any thread.
#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace warmline::telemetry {

class StripedHistogram {
 public:
  // `bounds`: upper ends of the buckets, ascending, at most kMaxBuckets - 1; the last bucket is open.
  explicit StripedHistogram(const std::vector<double>& bounds) : bounds_(bounds) {}

  void Observe(double value);
  // Counts at this moment; an observation under way may be half in.
  [[nodiscard]] prometheus::ClientMetric::Histogram Collect() const;

  static constexpr std::size_t kMaxBuckets = 24;

 private:
  static constexpr std::size_t kStripes = 16;
  struct alignas(64) Stripe {
    std::array<std::atomic<std::uint64_t>, kMaxBuckets> counts{};
    std::atomic<double> sum{0};
  };

  const std::vector<double>& bounds_;  // a static
  std::array<Stripe, kStripes> stripes_;
};

// Histograms of one name, by the values of two labels.
class StripedHistogramFamily {
 public:
  StripedHistogramFamily(std::string name, std::string help, std::array<std::string, 2> labels,
                         const std::vector<double>& bounds)
      : name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)), bounds_(bounds) {}
  ~StripedHistogramFamily();
  StripedHistogramFamily(const StripedHistogramFamily&) = delete;
  StripedHistogramFamily& operator=(const StripedHistogramFamily&) = delete;

  // The histogram of two values, which are literals: they are told apart by address first.
  [[nodiscard]] StripedHistogram& Of(const char* first, const char* second);
  [[nodiscard]] prometheus::MetricFamily Collect() const;

 private:
  struct Child {
    const char* first;
    const char* second;
    StripedHistogram histogram;
  };
  // Open addressing by address, filled under the mutex and read without it. A literal may have several addresses: each
  // has a cell, and all the same child.
  // Where there are more addresses than cells nearby, the mutex is taken each time.
  static constexpr std::size_t kCells = 1024;
  static constexpr std::size_t kMaxProbes = 32;
  struct Cell {
    std::atomic<const char*> first{nullptr};
    const char* second = nullptr;
    Child* child = nullptr;
  };
  // The child of two addresses; if it is not in the cells, null and the empty cell that it would have, if there is one.
  [[nodiscard]] Child* Find(const char* first, const char* second, Cell** empty);

  const std::string name_;
  const std::string help_;
  const std::array<std::string, 2> labels_;
  const std::vector<double>& bounds_;
  std::array<Cell, kCells> cells_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Child>> children_;  // guarded by mutex_
};

}  // namespace warmline::telemetry
