// Whether people are being helped: figures of one pool, counted from its records. Definitions: docs/metrics.md,
// "Market". MarketCount is one thread's; everything else is pure.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/introduction.h"
#include "domain/member.h"
#include "domain/need.h"
#include "domain/pool.h"

namespace warmline::application {

// Asks and outcomes are those of the last four weeks; an answer is in time within two.
inline constexpr absl::Duration kMarketWindow = absl::Hours(24 * 28);
inline constexpr absl::Duration kAnswerInTime = absl::Hours(24 * 14);
// Both together. Needs and newcomers of this time, less kAnswerInTime, have had their time. What is older is not read.
inline constexpr absl::Duration kMarketMemory = absl::Hours(24 * 42);
// Interests that are told of: those of the most needs, and of at least so many seekers, so that nobody is singled out.
inline constexpr std::size_t kMaxInterestsMeasured = 20;
inline constexpr std::int64_t kMinSeekersOfInterest = 5;

struct InterestBalance {
  std::string interest;      // canonical
  std::int64_t needs = 0;    // open ones
  std::int64_t helpers = 0;  // with an offer, not suspended
  std::int64_t proven = 0;   // of these, who pass the gate PROVEN
};

struct Quantiles {
  absl::Duration median;
  absl::Duration p90;
  absl::Duration longest;
};

struct MarketHealth {
  std::int64_t needs_open = 0;
  std::int64_t needs_waiting = 0;  // open, and nobody has accepted
  std::optional<Quantiles> waiting;
  // Needs made between kMarketMemory and kAnswerInTime ago; and those of them that somebody accepted in time.
  std::int64_t needs_due = 0;
  std::int64_t needs_answered_in_time = 0;
  // Asks made within kMarketWindow, by what they are now (domain::IntroductionState).
  std::array<std::int64_t, domain::kIntroductionStates> asks{};
  std::int64_t answered = 0;  // first answers of helpers
  std::int64_t accepted = 0;
  std::optional<Quantiles> first_answer;
  std::int64_t outcomes = 0;  // of introductions asked for in the window, as seekers report them
  std::int64_t helped = 0;
  std::int64_t helpers = 0;
  std::int64_t proven = 0;
  double load_gini = 0;  // of asks a helper
  std::int64_t newcomers = 0;
  std::int64_t newcomers_reached = 0;
  std::vector<InterestBalance> interests;  // most needs first
};

// How unequal the values are: 0 for all alike, towards 1 for all with one. Gini (1912), by the sorted form.
[[nodiscard]] double Gini(std::vector<std::int64_t> values);

// Counts one pool: all needs, then all introductions of kMarketMemory, then all members.
class MarketCount {
 public:
  MarketCount(const domain::Pool& pool, absl::Time now);
  void Add(const domain::Need& need);
  void Add(const domain::Introduction& introduction);
  // After all needs and introductions.
  void Add(const domain::Member& member);
  [[nodiscard]] MarketHealth Finish();

 private:
  struct NeedCount {
    absl::Time create_time;
    bool open = false;
    std::optional<absl::Time> accepted;
  };
  struct Demand {
    absl::flat_hash_set<std::string> seekers;  // up to kMinSeekersOfInterest of them
    InterestBalance balance;
  };
  void ChooseInterests();

  const domain::Pool& pool_;
  const absl::Time now_;
  MarketHealth health_;
  absl::flat_hash_map<std::string, NeedCount> needs_;
  absl::flat_hash_map<std::string, Demand> demands_;
  bool chosen_ = false;
  absl::flat_hash_map<std::string, std::int64_t> asks_of_;  // by helper, in the window
  absl::flat_hash_set<std::string> asked_;                  // helpers, in kMarketMemory
  std::vector<absl::Duration> first_answers_;
  std::vector<std::int64_t> loads_;
};

}  // namespace warmline::application
