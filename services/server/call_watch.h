// Sees every call at the edge of gRPC: tells its connection of progress (connection_gate.h), and gives a request that
// cannot be parsed the error that it deserves, which gRPC itself calls UNIMPLEMENTED. Thread-safety: any thread.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include <functional>
#include <memory>
#include <string_view>

#include "application/metrics.h"
#include "server/connection_gate.h"

namespace warmline::server {

// The progress of the connection of a peer, as ConnectionGate::Find gives it.
using FindProgress = std::function<std::shared_ptr<ConnectionProgress>(std::string_view peer)>;

class CallWatch final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // `metrics` outlives the server.
  CallWatch(FindProgress find, application::Metrics& metrics) : find_(std::move(find)), metrics_(metrics) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override;

 private:
  FindProgress find_;
  application::Metrics& metrics_;
};

}  // namespace warmline::server
