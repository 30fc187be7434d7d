// Export: the rows of a pool in pages, each page a read transaction of its own.
#pragma once

#include "api/call.h"
#include "warmline/v1/member_service.grpc.pb.h"

namespace warmline::api {

[[nodiscard]] grpc::ServerWriteReactor<warmline::v1::ExportResponse>* StartExport(
    Environment& environment, grpc::CallbackServerContext* context, const warmline::v1::ExportRequest* request);

}  // namespace warmline::api
