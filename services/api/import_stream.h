// Import: rows in messages, each message one write job; the next is read while the last is written, at most
// kMaxQueuedMessages ahead.
#pragma once

#include "api/call.h"
#include "warmline/v1/member_service.grpc.pb.h"

namespace warmline::api {

inline constexpr int kMaxQueuedMessages = 4;
inline constexpr int kMaxRowsPerMessage = 1'000;
inline constexpr int kMaxRefusedRowsListed = 10'000;

[[nodiscard]] grpc::ServerReadReactor<warmline::v1::ImportRequest>* StartImport(Environment& environment,
                                                                                grpc::CallbackServerContext* context,
                                                                                warmline::v1::ImportResponse* response);

}  // namespace warmline::api
