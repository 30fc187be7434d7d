// The process around the API: identity, limits, health, reflection, drain, operations port, ports that are taken.
#include <absl/strings/str_join.h>
#include <gmock/gmock.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;

pb::ListPoolsRequest ListRequest() {
  pb::ListPoolsRequest request;
  *request.mutable_actor() = Operator();
  return request;
}

TEST(Identity, TokensAreCheckedForAudiencePoolAndMember) {
  std::string path = ::testing::TempDir() + "tokens-XXXXXX";
  close(mkstemp(path.data()));
  std::ofstream(path) << R"({"tokens": [
    {"name": "ops", "token": "operator-token-0001", "roles": ["operator"], "audiences": ["OPERATOR"], "pools": ["*"]},
    {"name": "app", "token": "seeker-token-000001", "roles": ["matcher", "reader"], "audiences": ["SEEKER"], "pools": ["p"], "members": ["amina"]}]})";
  TestServer server([&](server::Config& config) { config.tokens_file = path; });
  const auto call = [&](const std::string& token, const pb::Actor& actor, const std::string& parent = "pools/p") {
    pb::SuggestInterestsRequest request;
    *request.mutable_actor() = actor;
    request.set_parent(parent);
    pb::SuggestInterestsResponse response;
    return server.matches().SuggestInterests(server.ContextWith(token).get(), request, &response);
  };
  EXPECT_EQ(ReasonOf(call("", Operator())), "TOKEN_MISSING");
  EXPECT_EQ(ReasonOf(call("no-such-token-000000", Operator())), "TOKEN_UNKNOWN");
  EXPECT_EQ(ReasonOf(call("operator-token-0001", Acting(pb::SEEKER, "amina"))), "AUDIENCE_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(call("seeker-token-000001", Acting(pb::SEEKER, "amina", "q"), "pools/q")), "POOL_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(call("seeker-token-000001", Acting(pb::SEEKER, "eve"))), "ACTING_MEMBER_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(call("seeker-token-000001", Acting(pb::SEEKER, "amina"))),
            "POOL_NOT_FOUND");  // allowed, but there is none
  pb::Actor nobody;
  EXPECT_THAT(ViolationsOf(call("operator-token-0001", nobody)), ::testing::ElementsAre(HasSubstr("actor.audience")));
  std::filesystem::remove(path);
}

TEST(Identity, BadTokenFilesAreNamed) {
  std::string path = ::testing::TempDir() + "tokens-XXXXXX";
  close(mkstemp(path.data()));
  std::ofstream(path) << R"({"tokens": [{"token": "short", "audiences": ["BOSS"], "pools": [], "colour": 1}]})";
  server::Config config;
  config.data_dir = ::testing::TempDir() + "warmline-unused";
  config.listen = config.ops_listen = "127.0.0.1:0";
  config.tokens_file = path;
  const auto server = server::Server::Start(config);
  EXPECT_THAT(std::string(server.status().message()),
              ::testing::AllOf(HasSubstr("tokens[0].colour"), HasSubstr("more)")));
  config.tokens_file = "";
  config.listen = "0.0.0.0:0";
  EXPECT_THAT(std::string(server::Server::Start(config).status().message()),
              HasSubstr("give a tokens file or JSON Web Tokens (--jwt-issuer), or listen on 127.0.0.1"));
  std::filesystem::remove(path);
}

TEST(Ports, ATakenPortIsNamedWithTheRemedy) {
  TestServer first;
  server::Config config;
  config.data_dir = ::testing::TempDir() + "warmline-second";
  config.listen = "127.0.0.1:" + std::to_string(first.server().port());
  config.ops_listen = "127.0.0.1:0";
  const auto taken = server::Server::Start(config);
  EXPECT_THAT(std::string(taken.status().message()),
              ::testing::AllOf(HasSubstr(config.listen), HasSubstr("free it, or give another --listen")));
  config.listen = "127.0.0.1:0";
  config.ops_listen = "127.0.0.1:" + std::to_string(first.server().ops_port());
  EXPECT_THAT(std::string(server::Server::Start(config).status().message()), HasSubstr("--ops-listen"));
  config.ops_listen = "nonsense";
  EXPECT_THAT(std::string(server::Server::Start(config).status().message()), HasSubstr("is not host:port"));
  std::filesystem::remove_all(config.data_dir);
}

TEST(Limits, CallsPastTheLimitAreRefusedFast) {
  TestServer server([](server::Config& config) { config.max_in_flight = 1; });
  auto stub = server.matches();
  const auto context = server.Context();
  const auto stream = stub.MatchStream(context.get());  // holds the only place
  pb::ListPoolsResponse response;
  grpc::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    status = server.pools().ListPools(server.Context().get(), ListRequest(), &response);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_THAT(server.Page("/metrics"), HasSubstr("warmline_rpc_refused_total{lane=\"operations\",reason=\"calls\"}"));
}

TEST(Limits, AMessageTooLargeIsRefused) {
  TestServer server([](server::Config& config) { config.max_message_bytes = 10'000; });
  server.CreatePool();
  pb::MatchRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  *request.mutable_inline_need() = NeedOf("amina", {"skill:" + std::string(20'000, 'x')});
  pb::MatchResponse response;
  EXPECT_EQ(server.matches().Match(server.Context().get(), request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// gRPC health, per service, is checked by the foreign client in tests/e2e.
TEST(Health, ThePagesOfTheOperationsPort) {
  TestServer server;
  EXPECT_EQ(server.Page("/readyz"), "ok\n");
  EXPECT_EQ(server.Page("/livez"), "ok\n");
  EXPECT_EQ(server.Page("/startupz"), "ok\n");
  EXPECT_THAT(server.Page("/nothing"), HasSubstr("404"));
}

TEST(Drain, HealthFirstThenCallsEnd) {
  TestServer server;
  server.CreatePool();
  auto stub = server.matches();
  const auto context = server.Context(20'000);
  const auto stream = stub.MatchStream(context.get());
  pb::MatchRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  *request.mutable_inline_need() = NeedOf("nobody", {"skill:x"});
  ASSERT_TRUE(stream->Write(request));
  pb::MatchStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  std::thread drain([&] { server.server().Drain(); });
  for (int i = 0; i < 200 && server.Page("/readyz") == "ok\n"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_THAT(server.Page("/readyz"), ::testing::AnyOf(HasSubstr("503: draining"), HasSubstr("no answer")));
  EXPECT_TRUE(stream->Write(request));  // a call under way goes on
  EXPECT_TRUE(stream->Read(&response));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  drain.join();
}

TEST(Metrics, AreTheGoldenOnes) {
  TestServer server;
  server.CreatePool();
  server.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:secret-word"})});
  pb::MatchRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  *request.mutable_inline_need() = NeedOf("amina", {"skill:secret-word"});
  pb::MatchResponse response;
  ASSERT_TRUE(server.matches().Match(server.Context().get(), request, &response).ok());
  const std::string text = server.Page("/metrics");
  for (const char* leak : {"amina", "ingrid", "secret-word"}) EXPECT_EQ(text.find(leak), std::string::npos) << leak;

  // Names and labels, without values: each line of the page becomes `name{label,label}`.
  std::set<std::string> actual;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::string name = line.substr(0, line.find_first_of("{ "));
    std::string labels;
    for (std::size_t at = 0; (at = line.find("=\"", at)) != std::string::npos; ++at) {
      const std::size_t begin = line.find_last_of("{,", at) + 1;
      labels += (labels.empty() ? "" : ",") + line.substr(begin, at - begin);
    }
    actual.insert(name + "{" + labels + "}");
  }
  std::set<std::string> golden;
  std::ifstream file(std::string(std::getenv("WARMLINE_SOURCE")) + "/tests/golden/metrics.txt");
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') golden.insert(line);
  }
  // These appear with the first refusal or error, the first use of Redis, the first snapshot that is looked for or
  // damaged, and where there is something to tell of a market.
  const auto in_time = [](const std::string& name) {
    return name.starts_with("warmline_market_") ||
           std::set<std::string>{
               "warmline_rpc_refused_total{lane,reason}",     "warmline_connections_refused_total{port,reason}",
               "warmline_rpc_errors_total{method,reason}",    "warmline_redis_reachable{use}",
               "warmline_snapshot_loads_total{cache,result}", "warmline_snapshot_writes_total{cache,result}",
               "warmline_snapshot_damaged_total{cache,what}"}
               .contains(name);
  };
  std::erase_if(golden, [&](const std::string& name) { return in_time(name) && !actual.contains(name); });
  std::vector<std::string> unexpected;
  std::vector<std::string> missing;
  std::set_difference(actual.begin(), actual.end(), golden.begin(), golden.end(), std::back_inserter(unexpected));
  std::set_difference(golden.begin(), golden.end(), actual.begin(), actual.end(), std::back_inserter(missing));
  EXPECT_EQ(absl::StrJoin(unexpected, "\n"), "");
  EXPECT_EQ(absl::StrJoin(missing, "\n"), "");
}

}  // namespace
}  // namespace warmline::testing
