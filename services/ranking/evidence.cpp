#include "ranking/evidence.h"

#include <algorithm>

#include "domain/fixed_point.h"

namespace warmline::ranking {
namespace {

using domain::kOne;
using domain::OutcomeKind;

std::uint32_t HourOf(absl::Time time) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(absl::ToUnixSeconds(time) / 3600, 0, kUnknown - 1));
}

void AddSaturated(std::uint32_t& sum, std::uint64_t value) {
  sum = static_cast<std::uint32_t>(std::min<std::uint64_t>(UINT32_MAX, sum + value));
}

bool Helped(OutcomeKind kind) {
  return kind == OutcomeKind::kHelped || kind == OutcomeKind::kInterview || kind == OutcomeKind::kHired;
}

std::uint64_t Prior(std::uint32_t hundredths) { return std::uint64_t{hundredths} * kOne / 100; }

}  // namespace

EvidenceMass SumEvidence(const std::vector<domain::Evidence>& entries, const domain::Policy& policy) {
  EvidenceMass mass;
  for (const domain::Evidence& e : entries) mass.as_of_hour = std::max(mass.as_of_hour, HourOf(e.time));
  std::uint64_t minutes = 0;
  std::uint64_t timed = 0;
  for (const domain::Evidence& e : entries) {
    const std::uint32_t hour = HourOf(e.time);
    const auto count = static_cast<std::uint64_t>(e.count);
    const std::uint64_t decayed =
        count * domain::DecayFloor(mass.as_of_hour - hour, static_cast<std::uint64_t>(policy.half_life_hours));
    AddSaturated(mass.outcome_count, count);
    if (Helped(e.outcome)) {
      AddSaturated(mass.helped, decayed);
      AddSaturated(mass.helped_count, count);
      mass.last_helped_hour = mass.last_helped_hour == kUnknown ? hour : std::max(mass.last_helped_hour, hour);
    } else {
      AddSaturated(e.outcome == OutcomeKind::kNoReply ? mass.silent : mass.unhelpful, decayed);
    }
    if (e.response_time) {
      minutes += count * static_cast<std::uint64_t>(absl::ToInt64Minutes(*e.response_time));
      timed += count;
    }
  }
  if (timed > 0)
    mass.response_minutes = static_cast<std::uint32_t>(std::min<std::uint64_t>(minutes / timed, kUnknown - 1));
  return mass;
}

EvidenceParts PartsAt(const EvidenceMass& mass, const domain::Policy& policy, std::int64_t epoch_hour) {
  const std::int64_t age = std::max<std::int64_t>(0, epoch_hour - mass.as_of_hour);
  const std::uint64_t decay =
      domain::DecayFloor(static_cast<std::uint64_t>(age), static_cast<std::uint64_t>(policy.half_life_hours));
  const std::uint64_t helped = domain::MulFloor(mass.helped, decay);
  const std::uint64_t unhelpful = domain::MulFloor(mass.unhelpful, decay);
  const std::uint64_t silent = domain::MulFloor(mass.silent, decay);
  const std::uint64_t prior_helped = Prior(policy.prior_helped_hundredths);
  const std::uint64_t prior = prior_helped + Prior(policy.prior_unhelped_hundredths);
  const std::uint64_t total = prior + helped + unhelpful + silent;

  EvidenceParts parts;
  const std::uint64_t mean = (prior_helped + helped) * kOne / total;
  const std::uint64_t deviation = domain::SqrtFloor(mean * (kOne - mean) * kOne / (total + kOne));
  parts.helpfulness = static_cast<std::uint32_t>(mean > deviation ? mean - deviation : 0);

  const std::uint64_t answers = (prior_helped + helped + unhelpful) * kOne / total;
  const auto target = static_cast<std::uint64_t>(policy.response_target_minutes);
  const std::uint64_t speed =
      mass.response_minutes == kUnknown ? kOne / 2 : target * kOne / (target + mass.response_minutes);
  parts.responsiveness = static_cast<std::uint32_t>(domain::MulFloor(answers, speed));

  parts.novelty = static_cast<std::uint32_t>(prior * kOne / total);
  return parts;
}

bool PassesGate(domain::EvidenceGate gate, const EvidenceMass& mass, std::uint32_t helpfulness,
                const domain::Policy& policy) {
  switch (gate) {
    case domain::EvidenceGate::kAny:
      return mass.helped_count > 0;
    case domain::EvidenceGate::kProven:
      return mass.helped_count >= policy.proven_outcomes && helpfulness >= policy.proven_helpfulness;
    case domain::EvidenceGate::kNone:
    case domain::EvidenceGate::kUnspecified:
      break;
  }
  return true;
}

}  // namespace warmline::ranking
