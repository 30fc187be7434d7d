#include "assignment/explain.h"

#include <algorithm>

namespace warmline::assignment {

std::vector<SeekerReason> Explain(const Problem& problem, const Certificate& certificate) {
  std::vector<SeekerReason> reasons(problem.seeker_capacity.size());
  std::vector<bool> chosen(problem.pairs.size(), false);
  for (const std::int32_t e : certificate.chosen) chosen[static_cast<std::size_t>(e)] = true;
  for (std::size_t e = 0; e < problem.pairs.size(); ++e) {
    const Pair& pair = problem.pairs[e];
    const auto i = static_cast<std::size_t>(pair.seeker);
    const auto j = static_cast<std::size_t>(pair.helper);
    SeekerReason& reason = reasons[i];
    if (chosen[e]) {
      reason.place = Place::kMatched;
      continue;
    }
    if (reason.place != Place::kMatched) {
      const bool places = problem.seeker_capacity[i] > 0 && problem.helper_capacity[j] > 0;
      if (places) {
        reason.place = Place::kOutbid;
      } else if (reason.place == Place::kNoPair) {
        reason.place = Place::kNoPlaces;
      }
    }
    if (!reason.second || pair.weight > problem.pairs[static_cast<std::size_t>(reason.second->pair)].weight) {
      const std::int64_t loss =
          std::max<std::int64_t>(0, certificate.seeker_price[i] + certificate.helper_price[j] - pair.weight);
      reason.second = {static_cast<std::int32_t>(e), loss};
    }
  }
  return reasons;
}

}  // namespace warmline::assignment
