#include "assignment/certificate.h"

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include <algorithm>

namespace warmline::assignment {
namespace {

__extension__ using Wide = __int128;

absl::Status Wrong(std::string_view what) { return absl::InvalidArgumentError(std::string(what)); }

// The worth of the choice, or why it is none.
absl::StatusOr<Wide> WorthOf(const Problem& problem, const std::vector<std::int32_t>& chosen) {
  std::vector<std::int64_t> of_seeker(problem.seeker_capacity.size(), 0);
  std::vector<std::int64_t> of_helper(problem.helper_capacity.size(), 0);
  Wide worth = 0;
  std::int32_t last = -1;
  for (const std::int32_t index : chosen) {
    if (index <= last || static_cast<std::size_t>(index) >= problem.pairs.size())
      return Wrong(absl::StrCat("the chosen pairs are not in order, or one of them (", index, ") is none"));
    last = index;
    const Pair& pair = problem.pairs[static_cast<std::size_t>(index)];
    const auto i = static_cast<std::size_t>(pair.seeker);
    const auto j = static_cast<std::size_t>(pair.helper);
    if (++of_seeker[i] > problem.seeker_capacity[i])
      return Wrong(absl::StrCat("seeker ", pair.seeker, " has more than ", problem.seeker_capacity[i]));
    if (++of_helper[j] > problem.helper_capacity[j])
      return Wrong(absl::StrCat("helper ", pair.helper, " has more than ", problem.helper_capacity[j]));
    worth += pair.weight;
  }
  for (const std::int64_t count : of_seeker) worth += count > 0 ? problem.bonus : 0;
  return worth;
}

Wide BoundOf(const Problem& problem, const Certificate& certificate) {
  Wide bound = 0;
  for (std::size_t i = 0; i < problem.seeker_capacity.size(); ++i) {
    const Wide price = certificate.seeker_price[i];
    if (problem.seeker_capacity[i] == 0) continue;
    bound += price >= 0 ? problem.seeker_capacity[i] * price + problem.bonus : std::max<Wide>(0, problem.bonus + price);
  }
  for (std::size_t j = 0; j < problem.helper_capacity.size(); ++j)
    bound += Wide{problem.helper_capacity[j]} * certificate.helper_price[j];
  for (const Pair& pair : problem.pairs) {
    if (problem.seeker_capacity[static_cast<std::size_t>(pair.seeker)] == 0) continue;
    const Wide prices = Wide{certificate.seeker_price[static_cast<std::size_t>(pair.seeker)]} +
                        certificate.helper_price[static_cast<std::size_t>(pair.helper)];
    bound += std::max<Wide>(0, pair.weight - prices);
  }
  return bound;
}

}  // namespace

absl::Status Verify(const Problem& problem, const Certificate& certificate) {
  if (auto status = Validate(problem); !status.ok()) return status;
  if (certificate.seeker_price.size() != problem.seeker_capacity.size() ||
      certificate.helper_price.size() != problem.helper_capacity.size())
    return Wrong("there is not one price for each seeker and helper");
  for (std::size_t j = 0; j < certificate.helper_price.size(); ++j) {
    if (certificate.helper_price[j] < 0) return Wrong(absl::StrCat("the price of helper ", j, " is below 0"));
  }
  const auto worth = WorthOf(problem, certificate.chosen);
  if (!worth.ok()) return worth.status();
  if (*worth != certificate.value)
    return Wrong(absl::StrCat("the choice is not worth the ", certificate.value, " that is claimed"));
  const Wide bound = BoundOf(problem, certificate);
  if (bound != *worth) {
    return Wrong(absl::StrCat("the prices allow for ", static_cast<std::int64_t>(bound - *worth),
                              " more than the choice is worth, so they prove nothing"));
  }
  return absl::OkStatus();
}

}  // namespace warmline::assignment
