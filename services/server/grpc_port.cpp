#include "server/grpc_port.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>

#include <array>

#include "domain/error.h"

namespace warmline::server {
namespace {

constexpr std::array<const char*, 6> kServices = {"warmline.v1.PoolService",         "warmline.v1.MemberService",
                                                  "warmline.v1.NeedService",         "warmline.v1.MatchService",
                                                  "warmline.v1.IntroductionService", "warmline.v1.AssignmentService"};
constexpr char kWrites[] = "warmline.v1.writes";
constexpr int kKeepaliveMs = 60'000;
constexpr int kMinPingIntervalMs = 10'000;

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcPort>> GrpcPort::Listen(const Config& config,
                                                           std::shared_ptr<grpc::ServerCredentials> credentials,
                                                           const std::vector<grpc::Service*>& services) {
  std::unique_ptr<GrpcPort> port(new GrpcPort());
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(config.listen, std::move(credentials), &port->port_);
  // Without this a second server on the same port would start, and each would get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.SetMaxReceiveMessageSize(config.max_message_bytes);
  for (grpc::Service* service : services) builder.RegisterService(service);
  port->server_ = builder.BuildAndStart();
  if (port->server_ == nullptr || port->port_ == 0) {
    return domain::MakeError(domain::ErrorReason::kStoreUnavailable,
                             absl::StrCat("cannot listen on ", config.listen,
                                          ": the port is taken or not allowed; free it, or give another --listen"));
  }
  for (const char* service : kServices) port->server_->GetHealthCheckService()->SetServingStatus(service, true);
  return port;
}

GrpcPort::~GrpcPort() = default;

void GrpcPort::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
  for (const char* service : kServices) server_->GetHealthCheckService()->SetServingStatus(service, serving);
}

void GrpcPort::SetWritesServing(bool serving) { server_->GetHealthCheckService()->SetServingStatus(kWrites, serving); }

std::shared_ptr<grpc::Channel> GrpcPort::InProcessChannel() {
  return server_->InProcessChannel(grpc::ChannelArguments());
}

void GrpcPort::Shutdown(absl::Time deadline) { server_->Shutdown(absl::ToChronoTime(deadline)); }

}  // namespace warmline::server
