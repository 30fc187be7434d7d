// The places for calls that are under way: the server has so many, and each token may take a part of them. Watches have
// places of their own, since they stay. Thread-safety: Occupancy from any thread; a Place by one thread at a time.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <memory>

#include "api/rpc_roles.h"
#include "application/access.h"
#include "application/metrics.h"

namespace warmline::api {

struct PlaceLimits {
  int max_in_flight = 2'000;
  int max_watches = 2'000;
  // Of one token that says nothing else.
  int max_in_flight_per_token = 1'000;
  int max_watches_per_token = 1'000;
};

// How many places are taken. On lines of their own: every call writes them.
struct Occupancy {
  alignas(64) std::atomic<int> calls{0};
  alignas(64) std::atomic<int> watches{0};
};

class Place {
 public:
  explicit Place(Occupancy& occupancy) : occupancy_(occupancy) {}
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // Takes one of the server's places. RESOURCE_EXHAUSTED (OVERLOADED) when none is free.
  [[nodiscard]] absl::Status Take(const RpcTraits& traits, const PlaceLimits& limits, application::Metrics& metrics);
  // Takes one of the token's places, after Take. RESOURCE_EXHAUSTED (CALL_RATE_EXCEEDED) when none is free.
  [[nodiscard]] absl::Status TakeOfToken(std::shared_ptr<const application::GrantInForce> grant,
                                         const RpcTraits& traits, const PlaceLimits& limits,
                                         application::Metrics& metrics);

 private:
  Occupancy& occupancy_;
  std::atomic<int>* taken_ = nullptr;
  std::atomic<int>* taken_of_token_ = nullptr;
  std::shared_ptr<const application::GrantInForce> grant_;  // whose count it is
};

}  // namespace warmline::api
