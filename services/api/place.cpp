#include "api/place.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "domain/error.h"

namespace warmline::api {
namespace {

using domain::ErrorReason;

constexpr absl::Duration kRetryPlace = absl::Milliseconds(100);
constexpr absl::Duration kRetryWatch = absl::Seconds(5);

bool Count(std::atomic<int>& count, int limit, std::atomic<int>** taken) {
  *taken = &count;
  return count.fetch_add(1, std::memory_order_relaxed) < limit;
}

}  // namespace

Place::~Place() {
  if (taken_ != nullptr) taken_->fetch_sub(1, std::memory_order_relaxed);
  if (taken_of_token_ != nullptr) taken_of_token_->fetch_sub(1, std::memory_order_relaxed);
}

absl::Status Place::Take(const RpcTraits& traits, const PlaceLimits& limits, application::Metrics& metrics) {
  const int limit = traits.watch ? limits.max_watches : limits.max_in_flight;
  if (Count(traits.watch ? occupancy_.watches : occupancy_.calls, limit, &taken_)) return absl::OkStatus();
  metrics.WorkRefused(traits.watch ? "watches" : "calls", admission::ShareOf(traits.lane).name);
  return domain::MakeError(ErrorReason::kOverloaded,
                           absl::StrCat(limit, traits.watch ? " watches" : " calls",
                                        " are under way already: try again later, at a lower rate"),
                           traits.watch ? kRetryWatch : kRetryPlace);
}

absl::Status Place::TakeOfToken(std::shared_ptr<const application::GrantInForce> grant, const RpcTraits& traits,
                                const PlaceLimits& limits, application::Metrics& metrics) {
  grant_ = std::move(grant);
  const int own = traits.watch ? grant_->grant.max_watches : grant_->grant.max_in_flight;
  const int limit = own > 0 ? own : (traits.watch ? limits.max_watches_per_token : limits.max_in_flight_per_token);
  if (Count(traits.watch ? grant_->watches : grant_->calls, limit, &taken_of_token_)) return absl::OkStatus();
  metrics.WorkRefused(traits.watch ? "token_watches" : "token_calls", admission::ShareOf(traits.lane).name);
  return domain::MakeError(ErrorReason::kCallRateExceeded,
                           absl::StrCat("the token has ", limit, traits.watch ? " watches" : " calls",
                                        " under way already: end some first, or have its ",
                                        traits.watch ? "max_watches" : "max_in_flight", " raised"),
                           traits.watch ? kRetryWatch : kRetryPlace);
}

}  // namespace warmline::api
