#include "telemetry/connection_metrics.h"

namespace warmline::telemetry {

ConnectionMetrics::ConnectionMetrics(prometheus::Registry& registry)
    : open_(
          prometheus::BuildGauge().Name("warmline_connections").Help("Open connections, by port.").Register(registry)),
      strangers_(prometheus::BuildGauge()
                     .Name("warmline_connections_strangers")
                     .Help("Open connections without a call for an accepted token so far, by port.")
                     .Register(registry)),
      refused_(prometheus::BuildCounter()
                   .Name("warmline_connections_refused_total")
                   .Help("Connections that were refused, or ended because they broke a limit, by port and reason.")
                   .Register(registry)) {}

void ConnectionMetrics::Held(const char* port, std::int64_t open, std::int64_t strangers) {
  open_.Add({{"port", port}}).Set(static_cast<double>(open));
  strangers_.Add({{"port", port}}).Set(static_cast<double>(strangers));
}

void ConnectionMetrics::Refused(const char* port, const char* reason) {
  refused_.Add({{"port", port}, {"reason", reason}}).Increment();
}

}  // namespace warmline::telemetry
