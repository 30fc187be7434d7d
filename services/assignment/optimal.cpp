#include "assignment/optimal.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <utility>

#include "assignment/auction.h"

namespace warmline::assignment {
namespace {

constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kNone = -1;
// Nodes that are settled between two looks whether to stop.
constexpr std::int64_t kStopEvery = 1 << 14;

// Nodes: seekers first, then helpers. Distances and prices follow one rule throughout: for a pair that is not chosen
// seeker_price + helper_price >= weight, and for one that is, <=.
class Solver {
 public:
  Solver(const Problem& problem, const StopCheck& stop) : problem_(problem), stop_(stop) {
    const std::size_t seekers = problem.seeker_capacity.size();
    const std::size_t helpers = problem.helper_capacity.size();
    row_.assign(seekers + 1, 0);
    for (const Pair& pair : problem.pairs) ++row_[static_cast<std::size_t>(pair.seeker) + 1];
    std::vector<std::int64_t> degree(helpers, 0);
    for (const Pair& pair : problem.pairs) ++degree[static_cast<std::size_t>(pair.helper)];
    for (std::size_t i = 0; i < seekers; ++i) row_[i + 1] += row_[i];
    helper_.reserve(problem.pairs.size());
    weight_.reserve(problem.pairs.size());
    for (const Pair& pair : problem.pairs) {
      helper_.push_back(pair.helper);
      weight_.push_back(pair.weight);
    }
    chosen_.assign(problem.pairs.size(), 0);
    slot_begin_.assign(helpers + 1, 0);
    for (std::size_t j = 0; j < helpers; ++j)
      slot_begin_[j + 1] = slot_begin_[j] + std::min<std::int64_t>(degree[j], problem.helper_capacity[j]);
    slots_.assign(static_cast<std::size_t>(slot_begin_[helpers]), kNone);
    used_.assign(helpers, 0);
    taken_.assign(seekers, 0);
    seeker_price_.assign(seekers, 0);
    helper_price_.assign(helpers, 0);
    distance_.assign(seekers + helpers, kFar);
    by_.assign(seekers + helpers, kNone);
  }

  absl::StatusOr<Solution> Run(const std::function<void(double)>& progress) {
    const std::size_t seekers = taken_.size();
    if (auto status = Begin(); !status.ok()) return status;
    for (std::size_t i = 0; i < seekers; ++i) {
      if (stop_ && i % 64 == 0) {
        if (auto status = stop_(); !status.ok()) return status;
      }
      if (problem_.seeker_capacity[i] == 0) continue;
      // One more than there are pairs shows that a place too many is worth nothing.
      const std::int64_t places = std::min<std::int64_t>(problem_.seeker_capacity[i], row_[i + 1] - row_[i] + 1);
      if (taken_[i] == 0) OpenPrice(i);
      for (std::int64_t place = taken_[i]; place < places; ++place) {
        // A further place, which earns no bonus, stays empty where a place is worth nothing.
        if (taken_[i] > 0 && seeker_price_[i] <= 0) break;
        if (auto status = Place(static_cast<std::int32_t>(i)); !status.ok()) return status;
      }
      if (progress && i % 256 == 0) progress(static_cast<double>(i) / static_cast<double>(seekers));
    }
    Solution solution;
    for (std::size_t e = 0; e < chosen_.size(); ++e) {
      if (chosen_[e] == 0) continue;
      solution.chosen.push_back(static_cast<std::int32_t>(e));
      solution.value += weight_[e];
    }
    for (const std::int32_t taken : taken_) solution.value += taken > 0 ? problem_.bonus : 0;
    solution.seeker_price = std::move(seeker_price_);
    solution.helper_price = std::move(helper_price_);
    solution.looked_at = looked_at_;
    return solution;
  }

 private:
  // A free place at the end of the shortest path: of a helper, or none at all for one place of a seeker.
  struct End {
    std::int64_t distance = kFar;
    std::int32_t node = kNone;
  };

  [[nodiscard]] std::int32_t NodeOf(std::int32_t helper) const {
    return helper + static_cast<std::int32_t>(taken_.size());
  }

  // Takes over what an auction gives: pairs that cost just what they are worth, at prices that hold for all.
  absl::Status Begin() {
    auto beginning = Auction(problem_, row_, stop_);
    if (!beginning.ok()) return beginning.status();
    helper_price_ = std::move(beginning->helper_price);
    looked_at_ = beginning->looked_at;
    for (std::size_t i = 0; i < taken_.size(); ++i) {
      const std::int32_t e = beginning->pair_of[i];
      if (e < 0) continue;
      Choose(e);
      const auto at = static_cast<std::size_t>(e);
      seeker_price_[i] = weight_[at] - helper_price_[static_cast<std::size_t>(helper_[at])];
    }
    return absl::OkStatus();
  }

  // The least price at which no pair of the seeker is worth more than it costs.
  void OpenPrice(std::size_t seeker) {
    std::int64_t price = -problem_.bonus;
    for (std::int64_t e = row_[seeker]; e < row_[seeker + 1]; ++e) {
      const auto at = static_cast<std::size_t>(e);
      price = std::max(price, weight_[at] - helper_price_[static_cast<std::size_t>(helper_[at])]);
    }
    seeker_price_[seeker] = price;
  }

  void Label(std::int32_t node, std::int64_t distance, std::int32_t by) {
    auto& known = distance_[static_cast<std::size_t>(node)];
    if (known == kFar) labelled_.push_back(node);
    known = distance;
    by_[static_cast<std::size_t>(node)] = by;
  }

  // From a seeker with one place too many at `from`.
  void ExpandSeeker(std::int32_t seeker, std::int64_t from, bool is_start, End& end) {
    const auto i = static_cast<std::size_t>(seeker);
    const std::int64_t price = seeker_price_[i];
    const std::int32_t left = taken_[i] - (is_start ? 0 : 1);
    const std::int64_t idle = from + price + (left == 0 ? problem_.bonus : 0);
    looked_at_ += row_[i + 1] - row_[i];
    for (std::int64_t e = row_[i]; e < row_[i + 1]; ++e) {
      const auto at = static_cast<std::size_t>(e);
      const std::int32_t helper = helper_[at];
      const auto j = static_cast<std::size_t>(helper);
      const std::int64_t distance = from + price + helper_price_[j] - weight_[at];
      if (distance >= end.distance || chosen_[at] != 0) continue;
      const std::int32_t node = NodeOf(helper);
      if (distance >= distance_[static_cast<std::size_t>(node)]) continue;
      Label(node, distance, static_cast<std::int32_t>(e));
      if (used_[j] < slot_begin_[j + 1] - slot_begin_[j]) {
        end = {distance, node};
      } else {
        heap_.emplace(distance, node);
      }
    }
    if (idle < end.distance) end = {idle, seeker};
  }

  // From a helper with one seeker too many: each of theirs may go.
  void ExpandHelper(std::int32_t helper, std::int64_t from, const End& end) {
    const auto j = static_cast<std::size_t>(helper);
    for (std::int64_t slot = slot_begin_[j]; slot < slot_begin_[j] + used_[j]; ++slot) {
      const std::int32_t e = slots_[static_cast<std::size_t>(slot)];
      const std::int32_t seeker = problem_.pairs[static_cast<std::size_t>(e)].seeker;
      const std::int64_t distance = from + weight_[static_cast<std::size_t>(e)] -
                                    seeker_price_[static_cast<std::size_t>(seeker)] - helper_price_[j];
      if (distance >= end.distance || distance >= distance_[static_cast<std::size_t>(seeker)]) continue;
      Label(seeker, distance, e);
      heap_.emplace(distance, seeker);
    }
  }

  absl::Status Place(std::int32_t start) {
    heap_ = {};
    End end;
    Label(start, 0, kNone);
    ExpandSeeker(start, 0, true, end);
    while (!heap_.empty() && heap_.top().first < end.distance) {
      const auto [distance, node] = heap_.top();
      heap_.pop();
      if (distance > distance_[static_cast<std::size_t>(node)]) continue;
      const auto seekers = static_cast<std::int32_t>(taken_.size());
      if (node < seekers) {
        ExpandSeeker(node, distance, false, end);
      } else {
        ExpandHelper(node - seekers, distance, end);
      }
      if (stop_ && ++settled_ % kStopEvery == 0) {
        if (auto status = stop_(); !status.ok()) return status;
      }
    }
    Reprice(end.distance);
    Augment(start, end.node);
    for (const std::int32_t node : labelled_) distance_[static_cast<std::size_t>(node)] = kFar;
    labelled_.clear();
    return absl::OkStatus();
  }

  // The potentials of Johnson 1977: afterwards the path costs nothing, and no pair less than nothing.
  void Reprice(std::int64_t length) {
    const auto seekers = static_cast<std::int32_t>(taken_.size());
    for (const std::int32_t node : labelled_) {
      const std::int64_t nearer = length - distance_[static_cast<std::size_t>(node)];
      if (nearer <= 0) continue;
      if (node < seekers) {
        seeker_price_[static_cast<std::size_t>(node)] -= nearer;
      } else {
        helper_price_[static_cast<std::size_t>(node - seekers)] += nearer;
      }
    }
  }

  // Backwards along the path: what was chosen goes, what was not comes.
  void Augment(std::int32_t start, std::int32_t node) {
    const auto seekers = static_cast<std::int32_t>(taken_.size());
    while (true) {
      if (node >= seekers) {
        const std::int32_t e = by_[static_cast<std::size_t>(node)];
        Choose(e);
        node = problem_.pairs[static_cast<std::size_t>(e)].seeker;
      }
      if (node == start) return;
      const std::int32_t e = by_[static_cast<std::size_t>(node)];
      Drop(e);
      node = NodeOf(helper_[static_cast<std::size_t>(e)]);
    }
  }

  void Choose(std::int32_t e) {
    const auto at = static_cast<std::size_t>(e);
    const auto j = static_cast<std::size_t>(helper_[at]);
    chosen_[at] = 1;
    ++taken_[static_cast<std::size_t>(problem_.pairs[at].seeker)];
    slots_[static_cast<std::size_t>(slot_begin_[j] + used_[j]++)] = e;
  }

  void Drop(std::int32_t e) {
    const auto at = static_cast<std::size_t>(e);
    const auto j = static_cast<std::size_t>(helper_[at]);
    chosen_[at] = 0;
    --taken_[static_cast<std::size_t>(problem_.pairs[at].seeker)];
    const auto begin = slots_.begin() + slot_begin_[j];
    const auto slot = std::find(begin, begin + used_[j], e);
    *slot = *(begin + --used_[j]);
  }

  const Problem& problem_;
  const StopCheck& stop_;
  std::vector<std::int64_t> row_;  // of each seeker, its first pair
  std::vector<std::int32_t> helper_;
  std::vector<std::int64_t> weight_;
  std::vector<std::uint8_t> chosen_;
  std::vector<std::int64_t> slot_begin_;  // of each helper, its first slot
  std::vector<std::int32_t> slots_;       // pairs that are chosen
  std::vector<std::int64_t> used_;        // slots of each helper
  std::vector<std::int32_t> taken_;       // pairs of each seeker
  std::vector<std::int64_t> seeker_price_;
  std::vector<std::int64_t> helper_price_;
  std::vector<std::int64_t> distance_;  // kFar: not reached
  std::vector<std::int32_t> by_;        // the pair by which a node was reached
  std::vector<std::int32_t> labelled_;
  std::priority_queue<std::pair<std::int64_t, std::int32_t>, std::vector<std::pair<std::int64_t, std::int32_t>>,
                      std::greater<>>
      heap_;
  std::int64_t looked_at_ = 0;
  std::int64_t settled_ = 0;
};

}  // namespace

absl::StatusOr<Solution> SolveOptimal(const Problem& problem, const StopCheck& stop,
                                      const std::function<void(double)>& progress) {
  if (auto status = Validate(problem); !status.ok()) return status;
  return Solver(problem, stop).Run(progress);
}

}  // namespace warmline::assignment
