#include "application/answer_estimate.h"

#include <algorithm>

#include "application/introduction_moves.h"
#include "domain/fixed_point.h"

namespace warmline::application {
using domain::Introduction;

std::optional<AnswerEstimate> EstimateFrom(const std::vector<Introduction>& asks, absl::Time now) {
  std::vector<absl::Duration> waits;
  for (const Introduction& i : asks) {
    if (!i.ask_time || *i.ask_time < now - kEstimateMemory) continue;
    if (i.answer_time) {
      waits.push_back(std::max(absl::ZeroDuration(), *i.answer_time - *i.ask_time));
    } else if (i.state == domain::IntroductionState::kExpired) {
      waits.push_back(absl::InfiniteDuration());
    }
  }
  if (waits.size() < kMinAsksToEstimate) return std::nullopt;
  std::sort(waits.begin(), waits.end());
  const auto quartile = [&](std::size_t quarter) { return waits[(waits.size() - 1) * quarter / 4]; };
  if (quartile(2) == absl::InfiniteDuration()) return std::nullopt;
  const auto answered = static_cast<std::size_t>(
      std::count_if(waits.begin(), waits.end(), [](absl::Duration d) { return d < absl::InfiniteDuration(); }));
  AnswerEstimate estimate;
  estimate.asks = static_cast<std::int32_t>(waits.size());
  estimate.lower = quartile(1);
  estimate.median = quartile(2);
  // Past the last answer, the upper quartile is at least that.
  estimate.upper = std::min(quartile(3), waits[answered - 1]);
  estimate.answered = static_cast<std::uint32_t>(domain::kOne * answered / waits.size());
  return estimate;
}

absl::StatusOr<std::optional<AnswerEstimate>> EstimateAnswer(RecordReader& reader, const std::string& pool,
                                                             absl::Time now) {
  // Lately, or else as far back as it takes.
  for (const absl::Duration memory : {kEstimateMemory / 6, kEstimateMemory}) {
    // Ids are in order of time: what is older is not even looked at.
    auto asks = reader.ListIntroductions(
        pool, {.asked_since = now - memory, .after = IntroductionIdAt(now - memory), .limit = kMaxAsksToEstimate});
    if (!asks.ok()) return asks.status();
    if (auto estimate = EstimateFrom(*asks, now)) return estimate;
  }
  return std::nullopt;
}

}  // namespace warmline::application
