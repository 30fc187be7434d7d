// What a simulated market keeps count of, and the figures made from it. Thread-safety: one thread.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "simulation/market.h"

namespace warmline::simulation {

class MarketLedger {
 public:
  MarketLedger(const MarketOptions& options, absl::Time start);

  void HelperJoined(const std::string& helper, bool able, bool newcomer, absl::Time now);
  void NeedArose(bool by_giver, absl::Time now);
  // The first helper who accepted a need that arose at `since`.
  void NeedAnswered(bool by_giver, absl::Time since, absl::Time now);
  void NeedHelped(absl::Time since);
  void AskReached(const std::string& helper, absl::Time now);
  void AskUnanswered(absl::Time reached);

  [[nodiscard]] MarketReport Report(absl::Time end) const;

 private:
  struct Helper {
    std::int64_t asks = 0;
    bool able = false;
    bool newcomer = false;
    absl::Time joined;
    absl::Time first_ask = absl::InfiniteFuture();
  };
  MarketFigures& MonthOf(absl::Time time);

  MarketOptions options_;
  absl::Time start_;
  std::vector<MarketFigures> months_;
  std::vector<double> hours_to_answer_;
  absl::flat_hash_map<std::string, Helper> helpers_;
};

}  // namespace warmline::simulation
