// A whole server in this process, on a directory and ports of its own, with clients. One thread.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>

#include "server/server.h"
#include "support/postgres_server.h"
#include "support/redis_server.h"
#include "warmline/v1/match_service.grpc.pb.h"
#include "warmline/v1/member_service.grpc.pb.h"
#include "warmline/v1/need_service.grpc.pb.h"
#include "warmline/v1/pool_service.grpc.pb.h"

namespace warmline::testing {

namespace pb = warmline::v1;

// Whether tests run on the cluster profile (WARMLINE_TEST_PROFILE=cluster), with servers of their own, and not on the
// embedded one.
[[nodiscard]] bool IsClusterProfile();

// One PostgreSQL for the whole test program, and the connection string of an empty database in it.
[[nodiscard]] PostgresServer& SharedPostgres();
[[nodiscard]] std::string NewClusterDatabase();
// One Redis for the whole test program; and keys in it that no other server uses.
[[nodiscard]] RedisServer& SharedRedis();
void UseSharedRedis(server::Config& config, const std::string& prefix);

class TestServer {
 public:
  // `adjust` may change the configuration before the start.
  explicit TestServer(std::function<void(server::Config&)> adjust = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // Stops and starts again on the same data.
  void Restart();
  void Stop() { server_.reset(); }
  server::Server& server() { return *server_; }
  [[nodiscard]] const server::Config& config() const { return config_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  [[nodiscard]] std::unique_ptr<grpc::ClientContext> Context(int timeout_ms = 10'000) const;
  [[nodiscard]] std::unique_ptr<grpc::ClientContext> ContextWith(const std::string& token) const;
  // The body of a page of the operations port; "status: body" where the status is not 200.
  [[nodiscard]] std::string Page(const std::string& path) const;

  [[nodiscard]] pb::PoolService::Stub pools() const { return pb::PoolService::Stub(channel_); }
  [[nodiscard]] pb::MemberService::Stub members() const { return pb::MemberService::Stub(channel_); }
  [[nodiscard]] pb::NeedService::Stub needs() const { return pb::NeedService::Stub(channel_); }
  [[nodiscard]] pb::MatchService::Stub matches() const { return pb::MatchService::Stub(channel_); }

  // Creates pools/p; returns its revision.
  std::string CreatePool(const std::string& id = "p");
  // Imports rows as the operator, vouched for.
  pb::ImportResponse Import(const std::vector<pb::Row>& rows, const std::string& pool = "p");

 private:
  void Start();
  server::Config config_;
  std::string directory_;
  std::string token_;
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

[[nodiscard]] pb::Actor Operator();
[[nodiscard]] pb::Actor Acting(pb::Audience audience, const std::string& member, const std::string& pool = "p");
// The content of a file; empty where there is none.
[[nodiscard]] std::string TextOf(const std::string& path);
// A request id that no other has.
[[nodiscard]] std::string FreshId();
// Rows that say little: a helper open to `reach`, a seeker without an offer, a confirmed tie.
[[nodiscard]] pb::Row HelperRow(const std::string& id, const std::vector<std::string>& interests,
                                pb::Reach reach = pb::POOL);
[[nodiscard]] pb::Row SeekerRow(const std::string& id);
[[nodiscard]] pb::Row TieRow(const std::string& a, const std::string& b, double strength = 0.5);
// ADVICE for these interests.
[[nodiscard]] pb::Need NeedOf(const std::string& seeker, const std::vector<std::string>& interests);
// The published reason of an error, and its field violations as "field: description".
[[nodiscard]] std::string ReasonOf(const grpc::Status& status);
[[nodiscard]] bool HasRetryInfo(const grpc::Status& status);
[[nodiscard]] std::vector<std::string> ViolationsOf(const grpc::Status& status);

}  // namespace warmline::testing
