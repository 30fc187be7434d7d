#include "telemetry/market_metrics.h"

#include <absl/strings/ascii.h>

#include <algorithm>

#include "domain/introduction_moves.h"

namespace warmline::telemetry {
namespace {

prometheus::Family<prometheus::Gauge>& Gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

}  // namespace

MarketMetrics::MarketMetrics(prometheus::Registry& registry)
    : measured_(
          Gauges(registry, "warmline_market_measured_timestamp_seconds", "When a pool's market was last counted.")),
      needs_open_(Gauges(registry, "warmline_market_needs_open", "Open needs.")),
      needs_waiting_(Gauges(registry, "warmline_market_needs_waiting", "Open needs that nobody has accepted.")),
      waiting_seconds_(Gauges(registry, "warmline_market_waiting_seconds",
                              "How long the needs that nobody has accepted have been open, by quantile.")),
      needs_due_(Gauges(registry, "warmline_market_needs_due", "Needs made 14 to 42 days ago.")),
      needs_in_time_(Gauges(registry, "warmline_market_needs_answered_in_time",
                            "Needs made 14 to 42 days ago that a helper accepted within 14 days.")),
      asks_(Gauges(registry, "warmline_market_asks", "Asks of the last 28 days, by their state now.")),
      answered_(Gauges(registry, "warmline_market_asks_answered",
                       "Asks of the last 28 days that their helper answered at all.")),
      accepted_(
          Gauges(registry, "warmline_market_asks_accepted", "Asks of the last 28 days that their helper accepted.")),
      first_answer_seconds_(Gauges(registry, "warmline_market_first_answer_seconds",
                                   "Time until a helper's first answer, of asks of the last 28 days, by quantile.")),
      outcomes_(Gauges(registry, "warmline_market_outcomes",
                       "Asks of the last 28 days of which the seeker reported an outcome.")),
      helped_(Gauges(registry, "warmline_market_outcomes_helped",
                     "Asks of the last 28 days of which the seeker reported that it helped.")),
      helpers_(Gauges(registry, "warmline_market_helpers", "Helpers with an offer who are not suspended.")),
      proven_(Gauges(registry, "warmline_market_helpers_proven", "Helpers with an offer who pass the gate PROVEN.")),
      gini_(Gauges(registry, "warmline_market_load_gini",
                   "How unequal the asks of the last 28 days are spread over helpers: 0 all alike, 1 all to one.")),
      newcomers_(Gauges(registry, "warmline_market_newcomers", "Helpers who came 14 to 42 days ago.")),
      newcomers_reached_(Gauges(registry, "warmline_market_newcomers_reached",
                                "Helpers who came 14 to 42 days ago and whom an ask has reached.")),
      interest_needs_(Gauges(registry, "warmline_market_interest_needs",
                             "Open needs that ask for an interest; the 20 that most ask for, from 5 seekers on.")),
      interest_helpers_(Gauges(registry, "warmline_market_interest_helpers",
                               "Helpers who have an interest that is told of (warmline_market_interest_needs).")),
      interest_proven_(Gauges(registry, "warmline_market_interest_helpers_proven",
                              "Helpers who have such an interest and pass the gate PROVEN.")),
      left_out_(Gauges(registry, "warmline_market_pools_left_out",
                       "Pools that are not measured, since there are more than 100.")
                    .Add({})) {}

void MarketMetrics::Put(Family& family, const std::string& pool, const prometheus::Labels& more, double value) {
  prometheus::Labels labels = more;
  labels["pool"] = pool;
  auto [entry, added] = entries_[pool].try_emplace({&family, more});
  if (added) entry->second = {&family, &family.Add(labels)};
  entry->second.gauge->Set(value);
  entry->second.fresh = true;
}

void MarketMetrics::PutQuantiles(Family& family, const std::string& pool, const application::Quantiles& quantiles) {
  Put(family, pool, {{"quantile", "0.5"}}, absl::ToDoubleSeconds(quantiles.median));
  Put(family, pool, {{"quantile", "0.9"}}, absl::ToDoubleSeconds(quantiles.p90));
  Put(family, pool, {{"quantile", "1"}}, absl::ToDoubleSeconds(quantiles.longest));
}

void MarketMetrics::DropStale(const std::string& pool) {
  auto& entries = entries_[pool];
  for (auto at = entries.begin(); at != entries.end();) {
    Entry& entry = at->second;
    if (entry.fresh) {
      ++at;
      continue;
    }
    entry.family->Remove(entry.gauge);
    at = entries.erase(at);
  }
  for (auto& [key, entry] : entries) entry.fresh = false;
}

void MarketMetrics::Set(const std::string& pool, const application::MarketHealth& health, absl::Time now) {
  const auto put = [&](Family& family, std::int64_t value) { Put(family, pool, {}, static_cast<double>(value)); };
  Put(measured_, pool, {}, absl::ToDoubleSeconds(now - absl::UnixEpoch()));
  put(needs_open_, health.needs_open);
  put(needs_waiting_, health.needs_waiting);
  if (health.waiting) PutQuantiles(waiting_seconds_, pool, *health.waiting);
  put(needs_due_, health.needs_due);
  put(needs_in_time_, health.needs_answered_in_time);
  // A draft waits for its turn, and is no ask yet.
  for (auto state = static_cast<std::size_t>(domain::IntroductionState::kAwaitingIntroducer);
       state < health.asks.size(); ++state) {
    const auto name = domain::StateName(static_cast<domain::IntroductionState>(state));
    Put(asks_, pool, {{"state", absl::AsciiStrToLower(name)}}, static_cast<double>(health.asks[state]));
  }
  put(answered_, health.answered);
  put(accepted_, health.accepted);
  if (health.first_answer) PutQuantiles(first_answer_seconds_, pool, *health.first_answer);
  put(outcomes_, health.outcomes);
  put(helped_, health.helped);
  put(helpers_, health.helpers);
  put(proven_, health.proven);
  Put(gini_, pool, {}, health.load_gini);
  put(newcomers_, health.newcomers);
  put(newcomers_reached_, health.newcomers_reached);
  for (const application::InterestBalance& balance : health.interests) {
    const prometheus::Labels labels = {{"interest", balance.interest}};
    Put(interest_needs_, pool, labels, static_cast<double>(balance.needs));
    Put(interest_helpers_, pool, labels, static_cast<double>(balance.helpers));
    Put(interest_proven_, pool, labels, static_cast<double>(balance.proven));
  }
  DropStale(pool);
}

void MarketMetrics::KeepOnly(const std::vector<std::string>& pools, std::int64_t left_out) {
  left_out_.Set(static_cast<double>(left_out));
  std::erase_if(entries_, [&](auto& item) {
    if (std::binary_search(pools.begin(), pools.end(), item.first)) return false;
    for (auto& [key, entry] : item.second) entry.family->Remove(entry.gauge);
    return true;
  });
}

}  // namespace warmline::telemetry
