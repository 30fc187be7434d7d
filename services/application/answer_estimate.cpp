#include "application/answer_estimate.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <vector>

#include "domain/fixed_point.h"

namespace warmline::application {
namespace {

using domain::Introduction;

absl::StatusOr<int> CreditOf(RecordReader& reader, const std::string& pool, const std::string& member) {
  auto found = reader.GetMember(pool, member);
  if (!found.ok()) return found.status();
  if (!found->has_value()) return 0;
  std::int64_t credit = (*found)->thanks;
  for (const domain::Evidence& e : (*found)->evidence) {
    if (domain::Helps(e.outcome)) credit += e.count;
  }
  return static_cast<int>(std::min<std::int64_t>(credit, kMaxReciprocityCredit));
}

}  // namespace

std::optional<AnswerEstimate> EstimateFrom(const std::vector<Introduction>& asks, absl::Time now) {
  std::vector<absl::Duration> waits;
  for (const Introduction& i : asks) {
    if (!i.ask_time || *i.ask_time < now - kEstimateMemory) continue;
    if (i.answer_time) {
      waits.push_back(std::max(absl::ZeroDuration(), *i.answer_time - *i.ask_time));
    } else if (i.HasEnded()) {
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
    auto asks = reader.ListIntroductions(pool, {.asked_since = now - memory, .limit = kMaxAsksToEstimate});
    if (!asks.ok()) return asks.status();
    if (auto estimate = EstimateFrom(*asks, now)) return estimate;
  }
  return std::nullopt;
}

absl::Status FillInbox(RecordReader& reader, const Caller& caller, const std::string& pool,
                       const IntroductionQuery& query,
                       const std::function<void(const Introduction&, domain::Viewer)>& add,
                       const std::function<void(const std::string& last)>& more) {
  auto page = reader.ListIntroductions(pool, query);
  if (!page.ok()) return page.status();
  if (page->size() == static_cast<std::size_t>(query.limit)) more(page->back().id);
  std::vector<std::pair<int, const Introduction*>> shown;
  absl::flat_hash_map<std::string, int> credits;
  for (const Introduction& i : *page) {
    const domain::Viewer viewer = caller.IsOperator() ? domain::Viewer::kOperator : domain::ViewerOf(i, caller.member);
    if (viewer == domain::Viewer::kNobody) continue;
    if (caller.IsOperator() && !query.member.empty() && !i.Involves(query.member)) continue;
    int credit = 0;
    if (caller.audience == domain::Audience::kHelper) {
      const auto [known, fresh] = credits.try_emplace(i.seeker, 0);
      if (fresh) {
        auto of_seeker = CreditOf(reader, pool, i.seeker);
        if (!of_seeker.ok()) return of_seeker.status();
        known->second = *of_seeker;
      }
      credit = known->second;
    }
    shown.emplace_back(credit, &i);
  }
  std::stable_sort(shown.begin(), shown.end(), [](const auto& x, const auto& y) { return x.first > y.first; });
  for (const auto& [credit, introduction] : shown) {
    add(*introduction,
        caller.IsOperator() ? domain::Viewer::kOperator : domain::ViewerOf(*introduction, caller.member));
  }
  return absl::OkStatus();
}

}  // namespace warmline::application
