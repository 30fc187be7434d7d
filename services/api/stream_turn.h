// The pace of a stream of requests: its token may send messages no faster than it may call. Thread-safety: as for Call.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/alarm.h>

#include <functional>

#include "api/call.h"

namespace warmline::api {

// Calls `then` once, with OK when the message just read may be worked on, or with the reason why the caller no longer
// waits for it: at once, or later on a thread of the alarm's. Each message counts as one call. `call` and `alarm`
// outlive that, and nothing else uses the alarm meanwhile.
void TakeTurn(Call& call, grpc::Alarm& alarm, std::function<void(const absl::Status&)> then);

}  // namespace warmline::api
