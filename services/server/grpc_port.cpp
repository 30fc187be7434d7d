#include "server/grpc_port.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <array>

#include "domain/error.h"
#include "server/address.h"
#include "server/call_watch.h"

namespace warmline::server {
namespace {

constexpr std::array<const char*, 6> kServices = {"warmline.v1.PoolService",         "warmline.v1.MemberService",
                                                  "warmline.v1.NeedService",         "warmline.v1.MatchService",
                                                  "warmline.v1.IntroductionService", "warmline.v1.AssignmentService"};
constexpr char kWrites[] = "warmline.v1.writes";
// A peer that is gone is noticed within a minute and a third.
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kMinPingIntervalMs = 10'000;
constexpr int kMaxAgeGraceMs = 60'000;
// How much of a message may be on its way before anybody reads it. Without this, gRPC measures the path and lets each
// stream of a fast peer fill megabytes.
constexpr int kLookaheadBytes = 64 * 1024;
// Of the peer's header table; what HTTP/2 begins with.
constexpr int kHeaderTableBytes = 4'096;
// Threads of synchronous services: reflection is the only one, and each of its streams takes a thread.
constexpr int kMaxSyncThreads = 8;

int Ms(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

// Compressed requests are refused before they are inflated: 4 MB can become 4 GB before gRPC looks at the size. The
// builder overwrites the channel argument, so this is the only way that has an effect.
void RefuseCompression(grpc::ServerBuilder& builder) {
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
}

void LimitConnections(const TransportOptions& options, grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Ms(options.handshake_timeout));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Ms(options.idle_timeout));
  if (options.max_age > absl::ZeroDuration()) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, Ms(options.max_age));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kMaxAgeGraceMs);
  }
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, options.max_header_bytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kLookaheadBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_HPACK_TABLE_SIZE_DECODER, kHeaderTableBytes);
  grpc::ResourceQuota quota("api");
  quota.Resize(static_cast<std::size_t>(options.memory_bytes));
  quota.SetMaxThreads(kMaxSyncThreads);
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcPort>> GrpcPort::Listen(const Config& config,
                                                           std::shared_ptr<grpc::ServerCredentials> credentials,
                                                           const std::vector<grpc::Service*>& services,
                                                           application::Metrics& metrics) {
  auto address = SplitHostPort(config.listen, "listen");
  if (!address.ok()) return address.status();
  std::unique_ptr<GrpcPort> port(new GrpcPort());
  auto gate =
      ConnectionGate::Listen(address->first, address->second, config.transport, config.max_message_bytes, metrics);
  if (!gate.ok()) {
    return domain::MakeError(
        domain::ErrorReason::kStoreUnavailable,
        absl::StrCat("cannot listen on ", config.listen, " (", std::string(gate.status().message()),
                     "): the port is taken or not allowed; free it, or give another --listen"));
  }
  port->gate_ = *std::move(gate);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  port->acceptor_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, std::move(credentials));
  RefuseCompression(builder);
  LimitConnections(config.transport, builder);
  builder.SetMaxReceiveMessageSize(config.max_message_bytes);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> watches;
  watches.push_back(std::make_unique<CallWatch>(
      [gate = port->gate_.get()](std::string_view peer) { return gate->Find(peer); }, metrics));
  builder.experimental().SetInterceptorCreators(std::move(watches));
  for (grpc::Service* service : services) builder.RegisterService(service);
  port->server_ = builder.BuildAndStart();
  if (port->server_ == nullptr)
    return domain::MakeError(domain::ErrorReason::kInternalDefect, "gRPC does not start: see the log for why");
  for (const char* service : kServices) port->server_->GetHealthCheckService()->SetServingStatus(service, true);
  port->gate_->Begin([acceptor = port->acceptor_.get()](int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor->HandleNewConnection(&connection);
  });
  return port;
}

GrpcPort::~GrpcPort() {
  if (server_ != nullptr) Shutdown(absl::Now());
}

void GrpcPort::SetServing(bool serving) {
  server_->GetHealthCheckService()->SetServingStatus(serving);
  for (const char* service : kServices) server_->GetHealthCheckService()->SetServingStatus(service, serving);
}

void GrpcPort::SetWritesServing(bool serving) { server_->GetHealthCheckService()->SetServingStatus(kWrites, serving); }

std::shared_ptr<grpc::Channel> GrpcPort::InProcessChannel() {
  return server_->InProcessChannel(grpc::ChannelArguments());
}

void GrpcPort::Shutdown(absl::Time deadline) {
  gate_->StopAccepting();
  server_->Shutdown(absl::ToChronoTime(deadline));
}

}  // namespace warmline::server
