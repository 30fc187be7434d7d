// Metrics of connections, by port. Thread-safety: all calls from any thread.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <cstdint>

namespace warmline::telemetry {

class ConnectionMetrics {
 public:
  explicit ConnectionMetrics(prometheus::Registry& registry);
  void Held(const char* port, std::int64_t open, std::int64_t strangers);
  void Refused(const char* port, const char* reason);

 private:
  prometheus::Family<prometheus::Gauge>& open_;
  prometheus::Family<prometheus::Gauge>& strangers_;
  prometheus::Family<prometheus::Counter>& refused_;
};

}  // namespace warmline::telemetry
