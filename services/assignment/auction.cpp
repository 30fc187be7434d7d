#include "assignment/auction.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>

namespace warmline::assignment {
namespace {

// After so many bids, for each seeker on average, the rest is left to the solver: wars of small bids gain little.
constexpr std::int64_t kBidsPerSeeker = 64;
constexpr std::int64_t kStopEvery = 1 << 12;

// The lowest bid first.
using Bid = std::pair<std::int64_t, std::int32_t>;  // and the seeker

}  // namespace

absl::StatusOr<Beginning> Auction(const Problem& problem, const std::vector<std::int64_t>& row, const StopCheck& stop) {
  const std::size_t seekers = problem.seeker_capacity.size();
  Beginning beginning;
  beginning.pair_of.assign(seekers, -1);
  beginning.helper_price.assign(problem.helper_capacity.size(), 0);
  // Whoever has no place is too dear for all, which costs nothing.
  for (const Pair& p : problem.pairs) {
    const auto j = static_cast<std::size_t>(p.helper);
    if (problem.helper_capacity[j] == 0)
      beginning.helper_price[j] = std::max(beginning.helper_price[j], p.weight + problem.bonus);
  }
  std::vector<std::vector<Bid>> held(problem.helper_capacity.size());
  std::deque<std::int32_t> waiting;
  for (std::size_t i = 0; i < seekers; ++i) {
    if (problem.seeker_capacity[i] > 0 && row[i + 1] > row[i]) waiting.push_back(static_cast<std::int32_t>(i));
  }
  std::int64_t left = kBidsPerSeeker * static_cast<std::int64_t>(seekers);
  while (!waiting.empty() && left-- > 0) {
    if (stop && left % kStopEvery == 0) {
      if (auto status = stop(); !status.ok()) return status;
    }
    const std::int32_t seeker = waiting.front();
    waiting.pop_front();
    const auto i = static_cast<std::size_t>(seeker);
    // Nobody at all is worth the bonus forgone.
    std::int64_t best = -problem.bonus;
    std::int64_t second = -problem.bonus;
    std::int64_t pair = -1;
    for (std::int64_t e = row[i]; e < row[i + 1]; ++e) {
      const Pair& p = problem.pairs[static_cast<std::size_t>(e)];
      const auto j = static_cast<std::size_t>(p.helper);
      const std::int64_t worth = p.weight - beginning.helper_price[j];
      if (worth > best) {
        second = best;
        best = worth;
        pair = e;
      } else {
        second = std::max(second, worth);
      }
    }
    beginning.looked_at += row[i + 1] - row[i];
    if (pair < 0) continue;
    const auto j = static_cast<std::size_t>(problem.pairs[static_cast<std::size_t>(pair)].helper);
    const std::int64_t bid = beginning.helper_price[j] + best - second;
    auto& bids = held[j];
    const bool full = static_cast<std::int64_t>(bids.size()) == problem.helper_capacity[j];
    if (full && bid <= bids.front().first) continue;
    bids.emplace_back(bid, seeker);
    std::push_heap(bids.begin(), bids.end(), std::greater<>());
    beginning.pair_of[i] = static_cast<std::int32_t>(pair);
    if (full) {
      std::pop_heap(bids.begin(), bids.end(), std::greater<>());
      const std::int32_t gone = bids.back().second;
      bids.pop_back();
      beginning.pair_of[static_cast<std::size_t>(gone)] = -1;
      waiting.push_back(gone);
    }
    if (static_cast<std::int64_t>(bids.size()) == problem.helper_capacity[j])
      beginning.helper_price[j] = bids.front().first;
  }
  return beginning;
}

}  // namespace warmline::assignment
