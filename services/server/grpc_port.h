// The port of the gRPC API: everything that is transport (credentials, limits of the connection, listening, health and
// reflection), and nothing that a handler decides. Thread-safety: SetServing from any thread; the rest by one.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "server/config.h"

namespace warmline::server {

class GrpcPort {
 public:
  // Listens on config.listen and answers with `services`, which outlive the port. UNAVAILABLE, with the remedy, when it
  // cannot listen there.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<GrpcPort>> Listen(
      const Config& config, std::shared_ptr<grpc::ServerCredentials> credentials,
      const std::vector<grpc::Service*>& services);
  ~GrpcPort();
  GrpcPort(const GrpcPort&) = delete;
  GrpcPort& operator=(const GrpcPort&) = delete;

  [[nodiscard]] int port() const { return port_; }
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
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace warmline::server
