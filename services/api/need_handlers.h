// NeedService. Handlers translate, authorise and call a use case. Thread-safety: gRPC calls them from any thread.
#pragma once

#include "api/call.h"
#include "warmline/v1/need_service.grpc.pb.h"

namespace warmline::api {

class NeedHandlers final : public warmline::v1::NeedService::CallbackService {
 public:
  explicit NeedHandlers(Environment& environment) : environment_(environment) {}
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreateNeed(Context* context, const warmline::v1::CreateNeedRequest* request,
                      warmline::v1::WriteNeedResponse* response) override;
  Reactor* GetNeed(Context* context, const warmline::v1::GetNeedRequest* request,
                   warmline::v1::Need* response) override;
  Reactor* ListNeeds(Context* context, const warmline::v1::ListNeedsRequest* request,
                     warmline::v1::ListNeedsResponse* response) override;
  Reactor* UpdateNeed(Context* context, const warmline::v1::UpdateNeedRequest* request,
                      warmline::v1::WriteNeedResponse* response) override;
  Reactor* CloseNeed(Context* context, const warmline::v1::CloseNeedRequest* request,
                     warmline::v1::WriteNeedResponse* response) override;

 private:
  Environment& environment_;
};

}  // namespace warmline::api
