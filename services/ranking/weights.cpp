#include "ranking/weights.h"

#include <algorithm>
#include <array>

#include "domain/fixed_point.h"
#include "domain/interest.h"

namespace warmline::ranking {

using domain::kOne;
using domain::Part;

domain::Weights WeightsFor(const domain::Policy& policy, domain::Urgency urgency) {
  domain::Weights weights = policy.weights;
  std::uint32_t shift = 0;
  if (urgency == domain::Urgency::kHigh) shift = policy.shift_high;
  if (urgency == domain::Urgency::kImmediate) shift = policy.shift_immediate;
  const auto at = [&](Part part) -> std::uint32_t& { return weights[static_cast<int>(part)]; };
  const std::uint32_t from_interests = std::min(at(Part::kInterests), shift - shift / 2);
  const std::uint32_t from_helpfulness = std::min(at(Part::kHelpfulness), shift / 2);
  at(Part::kInterests) -= from_interests;
  at(Part::kHelpfulness) -= from_helpfulness;
  const std::uint32_t moved = from_interests + from_helpfulness;
  at(Part::kResponsiveness) += moved / 2;
  at(Part::kAvailability) += moved - moved / 2;
  return weights;
}

std::uint32_t RarityOf(std::uint64_t having, std::uint64_t helpers) {
  having = std::max<std::uint64_t>(having, 1);
  if (helpers == 0) return kOne;
  const std::uint64_t log_ratio = domain::Log2Floor(helpers + having) - domain::Log2Floor(having);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(kOne, log_ratio * kOne / domain::Log2Floor(helpers + 1)));
}

std::uint32_t InterestWeight(const domain::Policy& policy, std::string_view canonical, std::uint64_t having,
                             std::uint64_t helpers) {
  return static_cast<std::uint32_t>(
      domain::MulFloor(policy.FacetWeight(domain::FacetOf(canonical)), RarityOf(having, helpers)));
}

bool IsRare(const domain::Policy& policy, std::uint64_t having, std::uint64_t helpers) {
  return having <= std::max<std::uint64_t>(2, domain::MulFloor(policy.rare_share, helpers));
}

std::uint32_t InvolvementValue(domain::Involvement involvement) {
  constexpr std::array<std::uint32_t, domain::kInvolvements> kValues = {
      0, 0, kOne / 4, kOne * 60 / 100, kOne * 70 / 100, kOne * 85 / 100, kOne};
  return kValues[static_cast<std::size_t>(involvement)];
}

}  // namespace warmline::ranking
