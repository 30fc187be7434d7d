// A market played through: members who look for work, ask, answer or keep silent, day by day, through the real use
// cases on a real store with a clock in hand. What is known of them is what Warmline can know; how they really are
// decides what they do. The same options give the same figures. Thread-safety: one call, one thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "application/metrics.h"
#include "application/record_store.h"

namespace warmline::simulation {

// Which of the rules is taken away, to see what it does.
enum class Without {
  kNothing,         // all rules hold
  kEvidence,        // helpfulness and responsiveness do not count, only what is in common
  kFairLoad,        // availability does not count; whoever has room is as good as whoever has much
  kExploration,     // no bonus for the unproven
  kOneThenTheNext,  // an ask names one helper; the seeker comes back after it ended
  kSilencePause,    // whoever never answers goes on being asked
  kReciprocity,     // a helper's inbox is in order of time
  kEverything,      // mass mailing: the ten who have most in common, all at once, no budgets and no capacity
};
inline constexpr int kWithouts = 8;
[[nodiscard]] const char* NameOf(Without without);

struct MarketOptions {
  std::int64_t members = 20'000;  // 100 to kMaxMarketMembers
  int days = 365;                 // 30 to 3650
  std::uint64_t seed = 1;
  Without without = Without::kNothing;
};
inline constexpr std::int64_t kMaxMarketMembers = 100'000;

// Of a month of 30 days, or of all: needs by the day when they arose, asks by the day when they reached somebody.
struct MarketFigures {
  std::int64_t needs = 0;
  std::int64_t answered_in_time = 0;  // needs that a helper accepted within kAnswerInTime
  std::int64_t helped = 0;            // needs that somebody really helped with
  std::int64_t asks = 0;              // that reached a helper
  std::int64_t asks_unanswered = 0;
  std::int64_t asks_to_able = 0;     // to those who really help
  std::int64_t needs_of_givers = 0;  // seekers who helped others before
  std::int64_t givers_answered_in_time = 0;
};

struct MarketReport {
  MarketOptions options;
  std::vector<MarketFigures> months;
  MarketFigures year;
  double median_hours_to_answer = 0;   // of the needs that somebody accepted
  double load_gini = 0;                // of the asks that reached each of those who really help; 0: all had the same
  double top_tenth_share = 0;          // of those asks, of the tenth who had most
  std::int64_t newcomers = 0;          // who really help, and joined at least kNewcomerTime before the end
  std::int64_t newcomers_reached = 0;  // who had a first ask within that time
};

inline constexpr absl::Duration kAnswerInTime = absl::Hours(24 * 14);
inline constexpr absl::Duration kNewcomerTime = absl::Hours(24 * 60);

// Plays the market on an empty store; `progress` is told of each day that is over, and stops it by returning false.
// Errors: those of the store; CANCELLED when stopped.
[[nodiscard]] absl::StatusOr<MarketReport> SimulateMarket(application::RecordStore& store,
                                                          application::Metrics& metrics, const MarketOptions& options,
                                                          const std::function<bool(int day)>& progress);

}  // namespace warmline::simulation
