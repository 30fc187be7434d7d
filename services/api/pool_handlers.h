// PoolService. Handlers translate, authorise and call a use case. Thread-safety: gRPC calls them from any thread.
#pragma once

#include "api/call.h"
#include "warmline/v1/pool_service.grpc.pb.h"

namespace warmline::api {

class PoolHandlers final : public warmline::v1::PoolService::CallbackService {
 public:
  explicit PoolHandlers(Environment& environment) : environment_(environment) {}
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreatePool(Context* context, const warmline::v1::CreatePoolRequest* request,
                      warmline::v1::WritePoolResponse* response) override;
  Reactor* GetPool(Context* context, const warmline::v1::GetPoolRequest* request,
                   warmline::v1::Pool* response) override;
  Reactor* ListPools(Context* context, const warmline::v1::ListPoolsRequest* request,
                     warmline::v1::ListPoolsResponse* response) override;
  Reactor* UpdatePool(Context* context, const warmline::v1::UpdatePoolRequest* request,
                      warmline::v1::WritePoolResponse* response) override;
  Reactor* RefreshStatistics(Context* context, const warmline::v1::RefreshStatisticsRequest* request,
                             warmline::v1::WritePoolResponse* response) override;
  Reactor* GetIndexState(Context* context, const warmline::v1::GetIndexStateRequest* request,
                         warmline::v1::IndexState* response) override;
  Reactor* GetMarketHealth(Context* context, const warmline::v1::GetMarketHealthRequest* request,
                           warmline::v1::MarketHealth* response) override;
  Reactor* ListReplicas(Context* context, const warmline::v1::ListReplicasRequest* request,
                        warmline::v1::ListReplicasResponse* response) override;

 private:
  Environment& environment_;
};

}  // namespace warmline::api
