#include "api/stream_turn.h"

#include <algorithm>
#include <utility>

namespace warmline::api {
namespace {

// How often a stream that waits for its turn looks whether its caller still waits.
constexpr absl::Duration kLookAgain = absl::Milliseconds(250);

}  // namespace

void TakeTurn(Call& call, grpc::Alarm& alarm, std::function<void(const absl::Status&)> then) {
  if (auto status = call.StillWanted(); !status.ok()) {
    then(status);
  } else if (const auto wait = call.RateWait()) {
    alarm.Set(absl::ToChronoTime(absl::Now() + std::min(*wait, kLookAgain)),
              [&call, &alarm, then = std::move(then)](bool) mutable { TakeTurn(call, alarm, std::move(then)); });
  } else {
    then(absl::OkStatus());
  }
}

}  // namespace warmline::api
