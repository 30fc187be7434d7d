// The last count of every pool's market, for whoever asks. Thread-safety: all calls from any thread.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "application/market_health.h"

namespace warmline::application {

struct MarketCounted {
  absl::Time at;
  MarketHealth health;
};

class MarketBoard {
 public:
  void Put(const std::string& pool, MarketCounted counted);
  // Forgets all pools but these.
  void Keep(const std::vector<std::string>& pools);
  // Nothing for a pool that was not counted yet.
  [[nodiscard]] std::optional<MarketCounted> Find(const std::string& pool) const;

 private:
  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, MarketCounted> counted_;  // at most kMaxPoolsMeasured (market_meter.h)
};

}  // namespace warmline::application
