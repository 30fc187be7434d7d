#include "telemetry/striped_histogram.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "base/hash.h"

namespace warmline::telemetry {
namespace {

std::size_t NextThread() {
  static std::atomic<std::size_t> threads{0};
  return threads.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void StripedHistogram::Observe(double value) {
  thread_local const std::size_t thread = NextThread();
  Stripe& stripe = stripes_[thread % kStripes];
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  stripe.counts[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  stripe.sum.fetch_add(value, std::memory_order_relaxed);
}

prometheus::ClientMetric::Histogram StripedHistogram::Collect() const {
  prometheus::ClientMetric::Histogram result;
  for (std::size_t bucket = 0; bucket <= bounds_.size(); ++bucket) {
    for (const Stripe& stripe : stripes_) result.sample_count += stripe.counts[bucket].load(std::memory_order_relaxed);
    const double bound = bucket < bounds_.size() ? bounds_[bucket] : std::numeric_limits<double>::infinity();
    result.bucket.push_back({result.sample_count, bound});
  }
  for (const Stripe& stripe : stripes_) result.sample_sum += stripe.sum.load(std::memory_order_relaxed);
  return result;
}

StripedHistogramFamily::~StripedHistogramFamily() = default;

StripedHistogramFamily::Child* StripedHistogramFamily::Find(const char* first, const char* second, Cell** empty) {
  const std::uint64_t hash =
      base::Mix64(reinterpret_cast<std::uintptr_t>(first) ^ base::Mix64(reinterpret_cast<std::uintptr_t>(second)));
  *empty = nullptr;
  for (std::size_t i = 0; i < kMaxProbes; ++i) {
    Cell& cell = cells_[(hash + i) % kCells];
    const char* known = cell.first.load(std::memory_order_acquire);
    if (known == nullptr) {
      *empty = &cell;
      return nullptr;
    }
    if (known == first && cell.second == second) return cell.child;
  }
  return nullptr;
}

StripedHistogram& StripedHistogramFamily::Of(const char* first, const char* second) {
  Cell* cell = nullptr;
  if (Child* known = Find(first, second, &cell)) return known->histogram;
  const std::lock_guard lock(mutex_);
  if (Child* known = Find(first, second, &cell)) return known->histogram;  // somebody was quicker
  const auto same = std::find_if(children_.begin(), children_.end(), [&](const auto& child) {
    return std::string_view(child->first) == first && std::string_view(child->second) == second;
  });
  Child* child = same == children_.end() ? nullptr : same->get();
  if (child == nullptr) {
    children_.push_back(std::unique_ptr<Child>(new Child{first, second, StripedHistogram(bounds_)}));
    child = children_.back().get();
  }
  if (cell != nullptr) {
    cell->second = second;
    cell->child = child;
    cell->first.store(first, std::memory_order_release);
  }
  return child->histogram;
}

prometheus::MetricFamily StripedHistogramFamily::Collect() const {
  prometheus::MetricFamily family;
  family.name = name_;
  family.help = help_;
  family.type = prometheus::MetricType::Histogram;
  const std::lock_guard lock(mutex_);
  for (const auto& child : children_) {
    prometheus::ClientMetric metric;
    if (!labels_[0].empty()) metric.label = {{labels_[0], child->first}, {labels_[1], child->second}};
    metric.histogram = child->histogram.Collect();
    family.metric.push_back(std::move(metric));
  }
  return family;
}

}  // namespace warmline::telemetry
