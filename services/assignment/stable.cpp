#include "assignment/stable.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

#include "base/hash.h"

namespace warmline::assignment {
namespace {

constexpr std::int32_t kNone = -1;
constexpr std::int64_t kStopEvery = 1 << 16;

absl::Status Check(const Problem& problem, const Preferences& preferences) {
  if (auto status = Validate(problem); !status.ok()) return status;
  if (preferences.of_seekers.size() != problem.pairs.size() || preferences.of_helpers.size() != problem.pairs.size())
    return absl::InvalidArgumentError("there is not one preference of each side for each pair");
  if (!preferences.ties.empty() && preferences.ties.size() != problem.pairs.size())
    return absl::InvalidArgumentError("there is not one tie breaker for each pair");
  for (std::size_t i = 0; i < problem.seeker_capacity.size(); ++i) {
    if (problem.seeker_capacity[i] > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("seeker ", i, " has ", problem.seeker_capacity[i],
                       " places: STABLE takes one place a seeker, since with more a stable choice need not exist; ask "
                       "for OPTIMAL, or list the seeker several times"));
    }
  }
  return absl::OkStatus();
}

// The order of one side: better first. Equal thoughts are ordered by a hash of seed and pair, never by place in a list.
class Order {
 public:
  Order(const Problem& problem, const std::vector<std::int64_t>& thoughts, const Preferences& preferences)
      : problem_(problem), thoughts_(thoughts), ties_(preferences.ties), seed_(preferences.seed) {}
  [[nodiscard]] bool operator()(std::int32_t x, std::int32_t y) const { return Key(x) < Key(y); }

 private:
  [[nodiscard]] std::tuple<std::int64_t, std::uint64_t, std::int32_t> Key(std::int32_t pair) const {
    const Pair& p = problem_.pairs[static_cast<std::size_t>(pair)];
    const std::uint64_t who = ties_.empty()
                                  ? static_cast<std::uint64_t>(p.seeker) << 32 | static_cast<std::uint32_t>(p.helper)
                                  : ties_[static_cast<std::size_t>(pair)];
    return {-thoughts_[static_cast<std::size_t>(pair)], base::Mix64(who ^ base::Mix64(seed_)), pair};
  }
  const Problem& problem_;
  const std::vector<std::int64_t>& thoughts_;
  const std::vector<std::uint64_t>& ties_;
  std::uint64_t seed_;
};

// One side proposes down its own order; the other holds the best that it was offered.
class Acceptance {
 public:
  Acceptance(const Problem& problem, const Preferences& preferences, Proposer proposer)
      : seekers_propose_(proposer == Proposer::kSeeker),
        problem_(problem),
        own_(problem, seekers_propose_ ? preferences.of_seekers : preferences.of_helpers, preferences),
        other_(problem, seekers_propose_ ? preferences.of_helpers : preferences.of_seekers, preferences) {
    const auto& proposers = seekers_propose_ ? problem.seeker_capacity : problem.helper_capacity;
    const auto& holders = seekers_propose_ ? problem.helper_capacity : problem.seeker_capacity;
    lists_.resize(proposers.size());
    for (std::size_t e = 0; e < problem.pairs.size(); ++e)
      lists_[static_cast<std::size_t>(ProposerOf(static_cast<std::int32_t>(e)))].push_back(
          static_cast<std::int32_t>(e));
    for (auto& list : lists_) std::sort(list.begin(), list.end(), own_);
    next_.assign(proposers.size(), 0);
    open_.assign(proposers.begin(), proposers.end());
    held_.reserve(holders.size());
    for (std::size_t j = 0; j < holders.size(); ++j) held_.emplace_back(other_);
  }

  absl::StatusOr<StableChoice> Run(const StopCheck& stop) {
    std::deque<std::int32_t> waiting;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      if (open_[i] > 0) waiting.push_back(static_cast<std::int32_t>(i));
    }
    StableChoice choice;
    while (!waiting.empty()) {
      const auto i = static_cast<std::size_t>(waiting.front());
      waiting.pop_front();
      while (open_[i] > 0 && next_[i] < lists_[i].size()) {
        if (stop && choice.proposals % kStopEvery == 0) {
          if (auto status = stop(); !status.ok()) return status;
        }
        ++choice.proposals;
        const std::int32_t refused = Propose(lists_[i][next_[i]++]);
        --open_[i];
        if (refused == kNone) continue;
        const std::int32_t back = ProposerOf(refused);
        if (++open_[static_cast<std::size_t>(back)] == 1 && back != static_cast<std::int32_t>(i))
          waiting.push_back(back);
      }
    }
    for (const auto& held : held_) choice.chosen.insert(choice.chosen.end(), held.begin(), held.end());
    std::sort(choice.chosen.begin(), choice.chosen.end());
    return choice;
  }

 private:
  using Held = std::set<std::int32_t, Order>;

  [[nodiscard]] std::int32_t ProposerOf(std::int32_t pair) const {
    const Pair& p = problem_.pairs[static_cast<std::size_t>(pair)];
    return seekers_propose_ ? p.seeker : p.helper;
  }
  // The pair that has to go for it; kNone when there was room.
  std::int32_t Propose(std::int32_t pair) {
    const Pair& p = problem_.pairs[static_cast<std::size_t>(pair)];
    const auto j = static_cast<std::size_t>(seekers_propose_ ? p.helper : p.seeker);
    const std::int32_t capacity = seekers_propose_ ? problem_.helper_capacity[j] : problem_.seeker_capacity[j];
    Held& held = held_[j];
    held.insert(pair);
    if (held.size() <= static_cast<std::size_t>(capacity)) return kNone;
    const auto worst = std::prev(held.end());
    const std::int32_t refused = *worst;
    held.erase(worst);
    return refused;
  }

  const bool seekers_propose_;
  const Problem& problem_;
  const Order own_;
  const Order other_;
  std::vector<std::vector<std::int32_t>> lists_;
  std::vector<std::size_t> next_;
  std::vector<std::int32_t> open_;  // places of each proposer
  std::vector<Held> held_;
};

}  // namespace

absl::StatusOr<StableChoice> SolveStable(const Problem& problem, const Preferences& preferences, Proposer proposer,
                                         const StopCheck& stop) {
  if (auto status = Check(problem, preferences); !status.ok()) return status;
  return Acceptance(problem, preferences, proposer).Run(stop);
}

absl::StatusOr<std::vector<std::int32_t>> BlockingPairs(const Problem& problem, const Preferences& preferences,
                                                        const std::vector<std::int32_t>& chosen) {
  if (auto status = Check(problem, preferences); !status.ok()) return status;
  std::vector<std::vector<std::int32_t>> of_seeker(problem.seeker_capacity.size());
  std::vector<std::vector<std::int32_t>> of_helper(problem.helper_capacity.size());
  std::vector<bool> is_chosen(problem.pairs.size(), false);
  for (const std::int32_t e : chosen) {
    if (e < 0 || static_cast<std::size_t>(e) >= problem.pairs.size() || is_chosen[static_cast<std::size_t>(e)])
      return absl::InvalidArgumentError(absl::StrCat("pair ", e, " is none, or is chosen twice"));
    is_chosen[static_cast<std::size_t>(e)] = true;
    const Pair& pair = problem.pairs[static_cast<std::size_t>(e)];
    of_seeker[static_cast<std::size_t>(pair.seeker)].push_back(e);
    of_helper[static_cast<std::size_t>(pair.helper)].push_back(e);
  }
  // Somebody would rather have it: has room, or something worse.
  const auto wants = [](const std::vector<std::int32_t>& has, std::int32_t capacity, std::int32_t pair,
                        const Order& order) {
    if (static_cast<std::int64_t>(has.size()) < capacity) return true;
    return std::any_of(has.begin(), has.end(), [&](std::int32_t e) { return order(pair, e); });
  };
  const Order seekers(problem, preferences.of_seekers, preferences);
  const Order helpers(problem, preferences.of_helpers, preferences);
  std::vector<std::int32_t> blocking;
  for (std::size_t e = 0; e < problem.pairs.size(); ++e) {
    const auto i = static_cast<std::size_t>(problem.pairs[e].seeker);
    const auto j = static_cast<std::size_t>(problem.pairs[e].helper);
    const auto pair = static_cast<std::int32_t>(e);
    if (of_seeker[i].size() > static_cast<std::size_t>(problem.seeker_capacity[i]) ||
        of_helper[j].size() > static_cast<std::size_t>(problem.helper_capacity[j]))
      return absl::InvalidArgumentError(absl::StrCat("seeker ", i, " or helper ", j, " has more than their capacity"));
    if (is_chosen[e]) continue;
    if (wants(of_seeker[i], problem.seeker_capacity[i], pair, seekers) &&
        wants(of_helper[j], problem.helper_capacity[j], pair, helpers))
      blocking.push_back(pair);
  }
  return blocking;
}

}  // namespace warmline::assignment
