// IntroductionService.Watch: what changes, read from the change log as it grows; nothing is kept for a client but its
// place in the log.
#pragma once

#include "api/call.h"
#include "warmline/v1/introduction_service.grpc.pb.h"

namespace warmline::api {

[[nodiscard]] grpc::ServerWriteReactor<warmline::v1::IntroductionEvent>* StartIntroductionWatch(
    Environment& environment, grpc::CallbackServerContext* context,
    const warmline::v1::WatchIntroductionsRequest* request);

}  // namespace warmline::api
