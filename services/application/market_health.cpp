#include "application/market_health.h"

#include <algorithm>

#include "application/clock.h"
#include "ranking/evidence.h"

namespace warmline::application {
namespace {

using domain::IntroductionState;

std::optional<Quantiles> QuantilesOf(std::vector<absl::Duration>& values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  return Quantiles{values[(values.size() - 1) / 2], values[(values.size() - 1) * 9 / 10], values.back()};
}

// The helper said yes: now, or before it was concluded.
bool WasAccepted(const domain::Introduction& i) {
  return i.state == IntroductionState::kAccepted || i.state == IntroductionState::kConcluded;
}

}  // namespace

double Gini(std::vector<std::int64_t> values) {
  std::sort(values.begin(), values.end());
  double weighted = 0;
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    weighted += static_cast<double>(2 * i + 1) * static_cast<double>(values[i]);
    sum += static_cast<double>(values[i]);
  }
  const auto n = static_cast<double>(values.size());
  return sum == 0 ? 0 : weighted / (n * sum) - 1;
}

MarketCount::MarketCount(const domain::Pool& pool, absl::Time now) : pool_(pool), now_(now) {}

void MarketCount::Add(const domain::Need& need) {
  const bool open = need.state == domain::NeedState::kOpen;
  if (!open && need.create_time < now_ - kMarketMemory) return;
  needs_[need.id] = {need.create_time, open, std::nullopt};
  if (!open) return;
  ++health_.needs_open;
  for (const domain::Interest& interest : need.interests) {
    Demand& demand = demands_[interest.canonical];
    ++demand.balance.needs;
    if (demand.seekers.size() < kMinSeekersOfInterest) demand.seekers.insert(need.seeker);
  }
}

void MarketCount::Add(const domain::Introduction& i) {
  if (!i.ask_time) return;  // waits for its turn
  if (i.forward_time) asked_.insert(i.helper);
  if (WasAccepted(i) && i.answer_time) {
    if (const auto need = needs_.find(i.need_id); need != needs_.end()) {
      auto& accepted = need->second.accepted;
      if (!accepted || *i.answer_time < *accepted) accepted = i.answer_time;
    }
  }
  if (*i.ask_time < now_ - kMarketWindow) return;
  ++health_.asks[static_cast<std::size_t>(i.state)];
  if (i.forward_time) ++asks_of_[i.helper];
  if (i.answer_time) {
    ++health_.answered;
    if (const auto response = i.ResponseTime()) first_answers_.push_back(*response);
  }
  if (WasAccepted(i)) ++health_.accepted;
  if (const domain::Outcome* outcome = i.OutcomeBy(domain::Audience::kSeeker)) {
    ++health_.outcomes;
    if (domain::Helps(outcome->kind)) ++health_.helped;
  }
}

void MarketCount::ChooseInterests() {
  chosen_ = true;
  std::vector<InterestBalance> most;
  for (auto& [interest, demand] : demands_) {
    if (static_cast<std::int64_t>(demand.seekers.size()) < kMinSeekersOfInterest) continue;
    most.push_back(std::move(demand.balance));
    most.back().interest = interest;
  }
  std::sort(most.begin(), most.end(), [](const auto& x, const auto& y) {
    return x.needs != y.needs ? x.needs > y.needs : x.interest < y.interest;
  });
  if (most.size() > kMaxInterestsMeasured) most.resize(kMaxInterestsMeasured);
  demands_.clear();
  health_.interests = std::move(most);
}

void MarketCount::Add(const domain::Member& member) {
  if (!chosen_) ChooseInterests();
  if (!member.offer || member.suspended) return;
  ++health_.helpers;
  const auto asks = asks_of_.find(member.id);
  loads_.push_back(asks == asks_of_.end() ? 0 : asks->second);
  const ranking::EvidenceMass mass = ranking::SumEvidence(member.evidence, pool_.policy);
  const std::uint32_t helpfulness = ranking::PartsAt(mass, pool_.policy, EpochHour(now_)).helpfulness;
  const bool proven = ranking::PassesGate(domain::EvidenceGate::kProven, mass, helpfulness, pool_.policy);
  if (proven) ++health_.proven;
  if (member.create_time >= now_ - kMarketMemory && member.create_time < now_ - kAnswerInTime) {
    ++health_.newcomers;
    if (asked_.contains(member.id)) ++health_.newcomers_reached;
  }
  for (const domain::Interest& interest : member.interests) {
    for (InterestBalance& balance : health_.interests) {
      if (balance.interest != interest.canonical) continue;
      ++balance.helpers;
      if (proven) ++balance.proven;
    }
  }
}

MarketHealth MarketCount::Finish() {
  if (!chosen_) ChooseInterests();
  std::vector<absl::Duration> waits;
  for (const auto& [id, need] : needs_) {
    if (need.open && !need.accepted) {
      ++health_.needs_waiting;
      waits.push_back(std::max(absl::ZeroDuration(), now_ - need.create_time));
    }
    if (need.create_time < now_ - kMarketMemory || need.create_time >= now_ - kAnswerInTime) continue;
    ++health_.needs_due;
    if (need.accepted && *need.accepted <= need.create_time + kAnswerInTime) ++health_.needs_answered_in_time;
  }
  health_.waiting = QuantilesOf(waits);
  health_.first_answer = QuantilesOf(first_answers_);
  health_.load_gini = Gini(std::move(loads_));
  return std::move(health_);
}

}  // namespace warmline::application
