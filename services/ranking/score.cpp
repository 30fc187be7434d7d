#include "ranking/score.h"

#include <algorithm>

#include "base/hash.h"

namespace warmline::ranking {

std::uint32_t Availability(std::uint32_t open_capacity, std::uint32_t week_capacity, const domain::Load& load) {
  const auto share = [](std::uint32_t capacity, std::int32_t used) -> std::uint32_t {
    const auto taken = static_cast<std::uint32_t>(std::max(used, 0));
    if (capacity == 0 || taken >= capacity) return 0;
    return static_cast<std::uint32_t>(std::uint64_t{capacity - taken} * domain::kOne / capacity);
  };
  return std::min(share(open_capacity, load.open_asks), share(week_capacity, load.asks_this_week));
}

std::uint32_t Exploration(std::uint32_t novelty, std::uint64_t need_hash, std::uint64_t helper_hash, std::int64_t day) {
  const std::uint64_t mixed = base::Mix64(base::Mix64(need_hash ^ static_cast<std::uint64_t>(day)) ^ helper_hash);
  return static_cast<std::uint32_t>(domain::MulFloor(novelty, mixed >> (64 - domain::kFixedBits)));
}

}  // namespace warmline::ranking
