#include "support/test_server.h"

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "support/postgres_server.h"

namespace warmline::testing {

bool IsClusterProfile() {
  const char* profile = std::getenv("WARMLINE_TEST_PROFILE");
  return profile != nullptr && std::string(profile) == "cluster";
}

PostgresServer& SharedPostgres() {
  static PostgresServer postgres;
  EXPECT_TRUE(postgres.runs()) << postgres.why();
  return postgres;
}

std::string NewClusterDatabase() { return SharedPostgres().ConnInfo(SharedPostgres().NewDatabase()); }

RedisServer& SharedRedis() {
  static RedisServer redis;
  EXPECT_TRUE(redis.runs()) << "Redis does not start: run scripts/install-packages test";
  return redis;
}

void UseSharedRedis(server::Config& config, const std::string& prefix) {
  config.redis = SharedRedis().url();
  config.redis_prefix = prefix;
}

TestServer::TestServer(std::function<void(server::Config&)> adjust) {
  spdlog::set_level(spdlog::level::off);
  directory_ = ::testing::TempDir() + "warmline-server-XXXXXX";
  EXPECT_NE(mkdtemp(directory_.data()), nullptr);
  config_.data_dir = directory_;
  config_.listen = "127.0.0.1:0";
  config_.ops_listen = "127.0.0.1:0";
  config_.drain_timeout = absl::Seconds(5);
  if (adjust) adjust(config_);
  if (IsClusterProfile() && config_.postgres.empty()) {
    config_.postgres = NewClusterDatabase();
    UseSharedRedis(config_, FreshId());
  }
  Start();
}

TestServer::~TestServer() {
  server_.reset();
  std::filesystem::remove_all(directory_);
}

void TestServer::Start() {
  auto server = server::Server::Start(config_);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  std::ifstream(server::OperatorTokenPath(directory_)) >> token_;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(server_->port()),
                                       grpc::InsecureChannelCredentials(), arguments);
}

void TestServer::Restart() {
  server_.reset();
  Start();
}

std::unique_ptr<grpc::ClientContext> TestServer::Context(int timeout_ms) const {
  auto context = ContextWith(token_);
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  return context;
}

std::unique_ptr<grpc::ClientContext> TestServer::ContextWith(const std::string& token) const {
  auto context = std::make_unique<grpc::ClientContext>();
  if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  return context;
}

std::string TestServer::Page(const std::string& path) const {
  httplib::Client client("127.0.0.1", server_->ops_port());
  const auto response = client.Get(path);
  if (!response) return "no answer";
  return response->status == 200 ? response->body : std::to_string(response->status) + ": " + response->body;
}

std::string TestServer::CreatePool(const std::string& id) {
  pb::CreatePoolRequest request;
  *request.mutable_actor() = Operator();
  request.mutable_pool()->set_name("pools/" + id);
  request.mutable_pool()->set_display_name("Pool " + id);
  request.set_request_id(FreshId());
  pb::WritePoolResponse response;
  const auto status = pools().CreatePool(Context().get(), request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.revision();
}

pb::ImportResponse TestServer::Import(const std::vector<pb::Row>& rows, const std::string& pool) {
  pb::ImportResponse response;
  auto stub = members();
  const auto context = Context(60'000);
  const auto writer = stub.Import(context.get(), &response);
  pb::ImportRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/" + pool);
  request.set_vouch(true);
  for (const auto& row : rows) {
    *request.add_rows() = row;
    if (request.rows_size() == 1'000) {
      writer->Write(request);
      request.clear_rows();
    }
  }
  writer->Write(request);
  writer->WritesDone();
  const auto status = writer->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

pb::Actor Operator() {
  pb::Actor actor;
  actor.set_audience(pb::OPERATOR);
  return actor;
}

pb::Actor Acting(pb::Audience audience, const std::string& member, const std::string& pool) {
  pb::Actor actor;
  actor.set_audience(audience);
  actor.set_acting_member("pools/" + pool + "/members/" + member);
  return actor;
}

std::string TextOf(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string FreshId() {
  static std::atomic<int> next{0};
  return "test-request-" + std::to_string(++next);
}

pb::Row HelperRow(const std::string& id, const std::vector<std::string>& interests, pb::Reach reach) {
  pb::Row row = SeekerRow(id);
  for (const auto& interest : interests) row.mutable_member()->add_interests()->set_interest(interest);
  pb::Offer* offer = row.mutable_member()->mutable_offer();
  offer->add_help_kinds(pb::ADVICE);
  offer->mutable_capacity()->set_open_asks(2);
  offer->mutable_capacity()->set_asks_per_week(2);
  offer->add_languages("en");
  offer->add_open_to(reach);
  return row;
}

pb::Row SeekerRow(const std::string& id) {
  pb::Row row;
  row.mutable_member()->set_name(id);
  row.mutable_member()->set_kind(pb::PERSON);
  row.mutable_member()->set_display_name("Member " + id);
  row.mutable_member()->set_introduces(true);
  return row;
}

pb::Row TieRow(const std::string& a, const std::string& b, double strength) {
  pb::Row row;
  row.mutable_connection()->set_member_a(a);
  row.mutable_connection()->set_member_b(b);
  row.mutable_connection()->set_strength(strength);
  return row;
}

pb::Need NeedOf(const std::string& seeker, const std::vector<std::string>& interests) {
  pb::Need need;
  need.set_seeker("pools/p/members/" + seeker);
  need.add_help_kinds(pb::ADVICE);
  for (const auto& interest : interests) need.add_interests()->set_interest(interest);
  return need;
}

namespace {

template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  Detail detail;
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return detail;
}

}  // namespace

std::string ReasonOf(const grpc::Status& status) { return DetailOf<google::rpc::ErrorInfo>(status).reason(); }

bool HasRetryInfo(const grpc::Status& status) {
  const auto retry = DetailOf<google::rpc::RetryInfo>(status).retry_delay();
  return retry.seconds() > 0 || retry.nanos() > 0;
}

std::vector<std::string> ViolationsOf(const grpc::Status& status) {
  std::vector<std::string> violations;
  const auto bad_request = DetailOf<google::rpc::BadRequest>(status);
  for (const auto& v : bad_request.field_violations()) violations.push_back(v.field() + ": " + v.description());
  return violations;
}

}  // namespace warmline::testing
