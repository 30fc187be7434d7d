// Where memory is: what the allocator gave out and what it keeps, what the store's cache holds, and the names that
// indexes hold by number. Thread-safety: all calls from any thread.
#pragma once

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "application/metrics.h"

namespace warmline::telemetry {

class MemoryMetrics {
 public:
  explicit MemoryMetrics(prometheus::Registry& registry);
  void Set(const application::PoolTotals& totals) const;
  // Asks the allocator.
  void Refresh() const;

 private:
  struct Names {
    prometheus::Gauge* used = nullptr;
    prometheus::Gauge* free = nullptr;
    void Set(const application::NameTotals& totals) const;
  };
  prometheus::Gauge& heap_used_;
  prometheus::Gauge& heap_free_;
  prometheus::Gauge& store_cache_;
  Names members_;
  Names needs_;
  Names interests_;
  Names sets_;
  Names combinations_;
};

}  // namespace warmline::telemetry
