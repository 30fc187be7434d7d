// The port of the gRPC API: everything that is transport (credentials, limits of the connection, listening, health and
// reflection), and nothing that a handler decides. Thread-safety: SetServing from any thread; the rest by one.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <vector>

#include "application/metrics.h"
#include "server/config.h"
#include "server/connection_gate.h"

namespace warmline::server {

class GrpcPort {
 public:
  // Listens on config.listen and answers with `services`, which outlive the port, as `metrics` does. Errors, with the
  // remedy: UNAVAILABLE when it cannot listen there, INVALID_ARGUMENT for options that do not fit together.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<GrpcPort>> Listen(
      const Config& config, std::shared_ptr<grpc::ServerCredentials> credentials,
      const std::vector<grpc::Service*>& services, application::Metrics& metrics);
  ~GrpcPort();
  GrpcPort(const GrpcPort&) = delete;
  GrpcPort& operator=(const GrpcPort&) = delete;

  [[nodiscard]] int port() const { return gate_->port(); }
  // Whether no connection has been accepted for a long time although some could be (ConnectionGate::Stuck).
  [[nodiscard]] bool Stuck() const { return gate_->Stuck(); }
  // What the standard health service answers for the whole server ("") and for every service of the API.
  void SetServing(bool serving);
  // What it answers for "warmline.v1.writes": whether this replica takes writes. It is no reason to take a replica out
  // of load balancing, since its matches go on.
  void SetWritesServing(bool serving);
  // A channel to the same handlers within this process.
  [[nodiscard]] std::shared_ptr<grpc::Channel> InProcessChannel();
  // Takes no new call; calls under way may end until `deadline`, and are cancelled then.
  void Shutdown(absl::Time deadline);

 private:
  GrpcPort() = default;
  // Outlives the server, whose calls ask it.
  std::unique_ptr<ConnectionGate> gate_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace warmline::server
