// AssignmentService: translate, authorise, call the use case. Thread-safety: any thread.
#pragma once

#include "api/call.h"
#include "warmline/v1/assignment_service.grpc.pb.h"

namespace warmline::api {

class AssignmentHandlers final : public warmline::v1::AssignmentService::CallbackService {
 public:
  explicit AssignmentHandlers(Environment& environment) : environment_(environment) {}
  grpc::ServerWriteReactor<warmline::v1::AssignResponse>* Assign(grpc::CallbackServerContext* context,
                                                                 const warmline::v1::AssignRequest* request) override;

 private:
  Environment& environment_;
};

}  // namespace warmline::api
