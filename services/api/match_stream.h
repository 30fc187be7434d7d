// MatchStream: one answer a request, in order, one outstanding read and write.
#pragma once

#include "api/call.h"
#include "warmline/v1/match_service.grpc.pb.h"

namespace warmline::api {

// At most this many requests a stream.
inline constexpr std::int64_t kMaxStreamRequests = 1'000'000;

[[nodiscard]] grpc::ServerBidiReactor<warmline::v1::MatchRequest, warmline::v1::MatchStreamResponse>* StartMatchStream(
    Environment& environment, grpc::CallbackServerContext* context);

}  // namespace warmline::api
