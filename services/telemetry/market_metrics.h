// The figures of every pool's market as gauges. The registry's gauges of a pool go when the pool does. Thread-safety:
// one thread sets them; Collect from any thread.
#pragma once

#include <absl/time/time.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "application/market_health.h"

namespace warmline::telemetry {

class MarketMetrics {
 public:
  explicit MarketMetrics(prometheus::Registry& registry);

  void Set(const std::string& pool, const application::MarketHealth& health, absl::Time now);
  // Forgets all pools but these.
  void KeepOnly(const std::vector<std::string>& pools, std::int64_t left_out);

 private:
  using Family = prometheus::Family<prometheus::Gauge>;
  // A gauge of a pool, by family and other labels, so that it can be taken away.
  struct Entry {
    Family* family;
    prometheus::Gauge* gauge;
    bool fresh = false;
  };
  void Put(Family& family, const std::string& pool, const prometheus::Labels& more, double value);
  void PutQuantiles(Family& family, const std::string& pool, const application::Quantiles& quantiles);
  // Of the pool: what was not set since the last call.
  void DropStale(const std::string& pool);

  Family& measured_;
  Family& needs_open_;
  Family& needs_waiting_;
  Family& waiting_seconds_;
  Family& needs_due_;
  Family& needs_in_time_;
  Family& asks_;
  Family& answered_;
  Family& accepted_;
  Family& first_answer_seconds_;
  Family& outcomes_;
  Family& helped_;
  Family& helpers_;
  Family& proven_;
  Family& gini_;
  Family& newcomers_;
  Family& newcomers_reached_;
  Family& interest_needs_;
  Family& interest_helpers_;
  Family& interest_proven_;
  prometheus::Gauge& left_out_;
  std::map<std::string, std::map<std::pair<Family*, prometheus::Labels>, Entry>> entries_;  // by pool
};

}  // namespace warmline::telemetry
