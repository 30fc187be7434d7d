// What the process takes, under the names that Prometheus' client libraries agreed on. Thread-safety: Refresh from any
// thread.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <mutex>

namespace warmline::telemetry {

class ProcessMetrics {
 public:
  explicit ProcessMetrics(prometheus::Registry& registry);
  // Reads /proc; what cannot be read stays as it was.
  void Refresh() const;

 private:
  prometheus::Gauge& resident_bytes_;
  prometheus::Counter& cpu_seconds_;
  prometheus::Gauge& open_fds_;
  prometheus::Gauge& threads_;
  mutable std::mutex mutex_;  // a counter is raised by what came since the last look
};

}  // namespace warmline::telemetry
