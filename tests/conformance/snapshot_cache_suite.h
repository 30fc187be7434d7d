// What every SnapshotCache adapter must do. An adapter's test instantiates the suite with a factory.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "application/clock.h"
#include "application/snapshot_cache.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::testing {

struct CacheFactory {
  std::string name;
  // A cache that shares what it keeps with every other of the same directory.
  std::function<std::unique_ptr<application::SnapshotCache>(const std::string& directory, const application::Clock&,
                                                            application::Metrics&)>
      open;
  // Damages what is kept for pools/p: 0: something is cut, 1: bytes are changed, 2: all is lost. False when there is
  // nothing to damage.
  std::function<bool(const std::string& directory, int how)> damage;
  // Everything that is kept, as one text.
  std::function<std::string(const std::string& directory)> dump;
};

class SnapshotCacheSuite : public ::testing::TestWithParam<CacheFactory> {
 protected:
  void SetUp() override;
  void TearDown() override;
  [[nodiscard]] std::unique_ptr<application::SnapshotCache> Open() {
    return GetParam().open(directory_, clock_, metrics_);
  }

  std::string directory_;
  application::SystemClock clock_;
  telemetry::PrometheusMetrics metrics_{"test"};
};

}  // namespace warmline::testing
