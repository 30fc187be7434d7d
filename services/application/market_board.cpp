#include "application/market_board.h"

#include <algorithm>

namespace warmline::application {

void MarketBoard::Put(const std::string& pool, MarketCounted counted) {
  const std::lock_guard lock(mutex_);
  counted_[pool] = std::move(counted);
}

void MarketBoard::Keep(const std::vector<std::string>& pools) {
  const std::lock_guard lock(mutex_);
  absl::erase_if(counted_,
                 [&](const auto& entry) { return std::find(pools.begin(), pools.end(), entry.first) == pools.end(); });
}

std::optional<MarketCounted> MarketBoard::Find(const std::string& pool) const {
  const std::lock_guard lock(mutex_);
  const auto found = counted_.find(pool);
  if (found == counted_.end()) return std::nullopt;
  return found->second;
}

}  // namespace warmline::application
