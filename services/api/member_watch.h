// MemberService.Watch. Thread-safety: any thread.
#pragma once

#include "api/call.h"
#include "warmline/v1/member_service.pb.h"

namespace warmline::api {

[[nodiscard]] grpc::ServerWriteReactor<warmline::v1::MemberEvent>* StartMemberWatch(
    Environment& environment, grpc::CallbackServerContext* context, const warmline::v1::WatchMembersRequest* request);

}  // namespace warmline::api
