// Counts the health of every pool's market now and then, for whoever watches it, on a thread of its own. Thread-safety:
// Stop from any thread.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "application/clock.h"
#include "application/market_board.h"
#include "application/market_health.h"
#include "application/metrics.h"
#include "application/record_store.h"
#include "base/stop_signal.h"

namespace warmline::application {

// Pools that are measured, the first by id: each takes about 150 series.
inline constexpr std::size_t kMaxPoolsMeasured = 100;

// One pool's figures. Pages of each list are read in transactions of their own, so that none is long. Errors: those of
// the store; CANCELLED when `stop` is set.
[[nodiscard]] absl::StatusOr<MarketHealth> MeasureMarket(RecordStore& store, const domain::Pool& pool, absl::Time now,
                                                         base::StopSignal& stop);

class MarketMeter {
 public:
  // How long it rests between two rounds; and so many times as long as a round took, so that it never takes more than
  // about a twentieth of one core, however large the pools are.
  static constexpr absl::Duration kInterval = absl::Minutes(1);
  static constexpr int kRestPerWork = 20;
  // Before the first: a start has other things to do.
  static constexpr absl::Duration kFirstRest = absl::Seconds(5);

  MarketMeter(RecordStore& store, MarketBoard& board, const Clock& clock, Metrics& metrics,
              absl::Duration interval = kInterval);
  ~MarketMeter();
  MarketMeter(const MarketMeter&) = delete;
  MarketMeter& operator=(const MarketMeter&) = delete;
  void Stop();

 private:
  void Loop();
  // False when the store could not be read: the figures stay as they are.
  bool Measure();

  RecordStore& store_;
  MarketBoard& board_;
  const Clock& clock_;
  Metrics& metrics_;
  const absl::Duration interval_;
  base::StopSignal stop_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace warmline::application
