#include "ranking/score.h"

#include <algorithm>

namespace warmline::ranking {

std::uint32_t Availability(std::uint32_t open_capacity, std::uint32_t week_capacity, const domain::Load& load) {
  const auto share = [](std::uint32_t capacity, std::int32_t used) -> std::uint32_t {
    const auto taken = static_cast<std::uint32_t>(std::max(used, 0));
    if (capacity == 0 || taken >= capacity) return 0;
    return static_cast<std::uint32_t>(std::uint64_t{capacity - taken} * domain::kOne / capacity);
  };
  return std::min(share(open_capacity, load.open_asks), share(week_capacity, load.asks_this_week));
}

base::SipHash13 ExplorationOf(const base::SipKey& key, std::uint64_t need_hash, std::int64_t day) {
  base::SipHash13 hash(key);
  hash.Add(need_hash);
  hash.Add(static_cast<std::uint64_t>(day));
  return hash;
}

std::uint32_t Exploration(std::uint32_t novelty, const base::SipHash13& of_need, std::uint64_t helper_hash) {
  base::SipHash13 hash = of_need;
  hash.Add(helper_hash);
  return static_cast<std::uint32_t>(domain::MulFloor(novelty, hash.Value() >> (64 - domain::kFixedBits)));
}

}  // namespace warmline::ranking
