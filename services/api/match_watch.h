// MatchService.Watch. Thread-safety: any thread.
#pragma once

#include "api/call.h"
#include "warmline/v1/match_service.pb.h"

namespace warmline::api {

[[nodiscard]] grpc::ServerWriteReactor<warmline::v1::MatchEvent>* StartMatchWatch(
    Environment& environment, grpc::CallbackServerContext* context, const warmline::v1::WatchMatchesRequest* request);

}  // namespace warmline::api
