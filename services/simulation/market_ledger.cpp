#include "simulation/market_ledger.h"

#include <algorithm>
#include <numeric>

#include "application/market_health.h"

namespace warmline::simulation {
namespace {

constexpr absl::Duration kMonth = absl::Hours(24 * 30);

void Add(const MarketFigures& month, MarketFigures& sum) {
  sum.needs += month.needs;
  sum.answered_in_time += month.answered_in_time;
  sum.helped += month.helped;
  sum.asks += month.asks;
  sum.asks_unanswered += month.asks_unanswered;
  sum.asks_to_able += month.asks_to_able;
  sum.needs_of_givers += month.needs_of_givers;
  sum.givers_answered_in_time += month.givers_answered_in_time;
}

}  // namespace

MarketLedger::MarketLedger(const MarketOptions& options, absl::Time start)
    : options_(options), start_(start), months_(static_cast<std::size_t>((options.days + 29) / 30)) {}

MarketFigures& MarketLedger::MonthOf(absl::Time time) {
  const auto month = static_cast<std::size_t>((time - start_) / kMonth);
  return months_[std::min(month, months_.size() - 1)];
}

void MarketLedger::HelperJoined(const std::string& helper, bool able, bool newcomer, absl::Time now) {
  helpers_[helper] = {0, able, newcomer, now, absl::InfiniteFuture()};
}

void MarketLedger::NeedArose(bool by_giver, absl::Time now) {
  MarketFigures& month = MonthOf(now);
  ++month.needs;
  if (by_giver) ++month.needs_of_givers;
}

void MarketLedger::NeedAnswered(bool by_giver, absl::Time since, absl::Time now) {
  hours_to_answer_.push_back(absl::ToDoubleHours(now - since));
  if (now - since > kAnswerInTime) return;
  MarketFigures& month = MonthOf(since);
  ++month.answered_in_time;
  if (by_giver) ++month.givers_answered_in_time;
}

void MarketLedger::NeedHelped(absl::Time since) { ++MonthOf(since).helped; }

void MarketLedger::AskReached(const std::string& helper, absl::Time now) {
  Helper& known = helpers_[helper];
  ++known.asks;
  known.first_ask = std::min(known.first_ask, now);
  MarketFigures& month = MonthOf(now);
  ++month.asks;
  if (known.able) ++month.asks_to_able;
}

void MarketLedger::AskUnanswered(absl::Time reached) { ++MonthOf(reached).asks_unanswered; }

MarketReport MarketLedger::Report(absl::Time end) const {
  MarketReport report;
  report.options = options_;
  report.months = months_;
  for (const MarketFigures& month : months_) Add(month, report.year);
  std::vector<double> hours = hours_to_answer_;
  if (!hours.empty()) {
    const auto middle = hours.begin() + static_cast<std::ptrdiff_t>(hours.size() / 2);
    std::nth_element(hours.begin(), middle, hours.end());
    report.median_hours_to_answer = *middle;
  }
  std::vector<std::int64_t> loads;
  for (const auto& [id, helper] : helpers_) {
    if (!helper.able) continue;
    if (!helper.newcomer) loads.push_back(helper.asks);
    if (!helper.newcomer || helper.joined + kNewcomerTime > end) continue;
    ++report.newcomers;
    if (helper.first_ask - helper.joined <= kNewcomerTime) ++report.newcomers_reached;
  }
  report.load_gini = application::Gini(loads);
  std::sort(loads.rbegin(), loads.rend());
  const auto sum = std::accumulate(loads.begin(), loads.end(), std::int64_t{0});
  const auto top =
      std::accumulate(loads.begin(), loads.begin() + static_cast<std::ptrdiff_t>(loads.size() / 10), std::int64_t{0});
  report.top_tenth_share = sum == 0 ? 0 : static_cast<double>(top) / static_cast<double>(sum);
  return report;
}

}  // namespace warmline::simulation
