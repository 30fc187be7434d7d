// The operations port: the reads as JSON, what is kept from callers there, the page's files, TLS, and the audit log of
// a whole server.
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "support/tcp_gate.h"
#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kToken[] = "the-token-of-the-portal";

class Console : public ::testing::Test {
 protected:
  Console() : directory_(::testing::TempDir() + "console-XXXXXX") { EXPECT_NE(mkdtemp(directory_.data()), nullptr); }
  ~Console() override { std::filesystem::remove_all(directory_); }
  void Start(const std::function<void(server::Config&)>& adjust = {}) {
    server_ = std::make_unique<TestServer>([&](server::Config& config) {
      config.market_interval = absl::Milliseconds(100);
      if (adjust) adjust(config);
    });
    server_->CreatePool();
    server_->Import({SeekerRow("amina"), HelperRow("joost", {"skill:sql"}), HelperRow("ingrid", {"skill:sql"})});
    token_ = TextOf(server_->directory() + "/operator.token");
    while (!token_.empty() && token_.back() == '\n') token_.pop_back();
  }
  [[nodiscard]] httplib::Client Http() const {
    return httplib::Client("http://127.0.0.1:" + std::to_string(server_->server().ops_port()));
  }
  [[nodiscard]] httplib::Headers Bearer(const std::string& token) const {
    return {{"Authorization", "Bearer " + token}};
  }
  // Status and body.
  [[nodiscard]] std::pair<int, Json> Post(const std::string& path, const Json& body, const std::string& token) const {
    auto client = Http();
    const auto response = client.Post(path, token.empty() ? httplib::Headers{} : Bearer(token),
                                      body.is_string() ? body.get<std::string>() : body.dump(), "application/json");
    if (!response) return {0, Json()};
    return {response->status, Json::parse(response->body, nullptr, false)};
  }
  std::string directory_;
  std::unique_ptr<TestServer> server_;
  std::string token_;
};

Json MatchBody() {
  return {
      {"actor", {{"audience", "OPERATOR"}}},
      {"parent", "pools/p"},
      {"inlineNeed",
       {{"seeker", "pools/p/members/amina"}, {"helpKinds", {"ADVICE"}}, {"interests", {{{"interest", "skill:sql"}}}}}}};
}

TEST_F(Console, AReadAsJsonSaysWhatGrpcSays) {
  Start();
  const auto [status, body] = Post("/warmline.v1.MatchService/Match", MatchBody(), token_);
  ASSERT_EQ(status, 200) << body;
  pb::MatchRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
  pb::MatchResponse response;
  ASSERT_TRUE(server_->matches().Match(server_->Context().get(), request, &response).ok());
  ASSERT_EQ(body["matches"].size(), 2U);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(body["matches"][i]["helper"], response.matches(i).helper());
    EXPECT_EQ(body["matches"][i]["score"], response.matches(i).score());
  }
  EXPECT_EQ(body["revision"], response.revision());
}

TEST_F(Console, WithoutATokenNothingIsToldAndWhatIsWrongIsSaid) {
  Start();
  const auto refused = [&](const std::string& path, const Json& body, const std::string& token) {
    const auto [status, answer] = Post(path, body, token);
    return std::to_string(status) + " " + answer.value("code", "") + " " + answer.value("message", "");
  };
  const std::string match = "/warmline.v1.MatchService/Match";
  EXPECT_THAT(refused(match, MatchBody(), ""), HasSubstr("401 unauthenticated the call carries no token"));
  EXPECT_THAT(refused(match, MatchBody(), "wrong-wrong-wrong-wrong"), HasSubstr("401 unauthenticated"));
  EXPECT_THAT(refused(match, MatchBody(), "caf\xc3\xa9"), HasSubstr("401 unauthenticated the token has characters"));
  EXPECT_THAT(refused(match, "{ no JSON", token_), HasSubstr("400 invalid_argument the body is no JSON of"));
  EXPECT_THAT(refused(match, {{"parrent", "pools/p"}}, token_), HasSubstr("parrent"));
  // Changes and streams are not for this port, whoever asks.
  for (const char* call : {"MemberService/CreateMember", "MemberService/Export", "MatchService/Watch",
                           "PoolService/UpdatePool", "AssignmentService/Assign", "PoolService/NoSuchCall"})
    EXPECT_THAT(refused(std::string("/warmline.v1.") + call, Json::object(), token_), HasSubstr("501 unimplemented"))
        << call;
  Json body = MatchBody();
  body["parent"] = "pools/nowhere";
  body["inlineNeed"]["seeker"] = "pools/nowhere/members/amina";
  const auto [status, answer] = Post(match, body, token_);
  EXPECT_EQ(status, 404);
  ASSERT_TRUE(answer.contains("details")) << answer;
  EXPECT_EQ(answer["details"][0]["type"], "google.rpc.ErrorInfo");
  EXPECT_EQ(answer["details"][0]["debug"]["reason"], "POOL_NOT_FOUND");
  body = MatchBody();
  body["topK"] = 1'000;
  EXPECT_THAT(Post(match, body, token_).second.dump(), HasSubstr("top_k"));
  // What a form of another site can send.
  auto client = Http();
  EXPECT_EQ(client.Post(match, Bearer(token_), MatchBody().dump(), "text/plain")->status, 415);
  EXPECT_EQ(client.Post(match, Bearer(token_), std::string(70'000, ' '), "application/json")->status, 413);
  EXPECT_EQ(client.Get(match)->status, 404);
}

TEST_F(Console, ThePagesFilesComeUnderAStrictPolicyAndNothingElseDoes) {
  Start();
  auto client = Http();
  const auto page = client.Get("/console/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_THAT(page->body, HasSubstr("Warmline console"));
  const std::string policy = page->get_header_value("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self'"));
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(client.Get("/")->get_header_value("Location"), "/console/");
  EXPECT_THAT(client.Get("/console/app.js")->get_header_value("Content-Type"), HasSubstr("text/javascript"));
  const std::string long_path = "/console/" + std::string(8'000, 'a');
  for (const char* path :
       {"/console/nothing.js", "/console/../metrics", "/console/%2e%2e/etc/passwd", "/console/a/b", long_path.c_str()})
    EXPECT_EQ(client.Get(path)->status, 404) << path;
}

TEST_F(Console, ItCanBeLeftOut) {
  Start([](server::Config& config) { config.console = false; });
  auto client = Http();
  EXPECT_EQ(client.Get("/console/")->status, 404);
  EXPECT_EQ(Post("/warmline.v1.MatchService/Match", MatchBody(), token_).first, 404);
  EXPECT_EQ(client.Get("/readyz")->status, 200);
}

TEST_F(Console, ProbesAreAnsweredWhileCallersTakeTheirTime) {
  PostgresServer postgres;
  const std::string database = postgres.NewDatabase();
  TcpGate gate(postgres.port(), 1);
  Start([&](server::Config& config) {
    config.postgres = postgres.ConnInfo(database, gate.port());
    config.poll_interval = absl::Milliseconds(100);
  });
  TestServer other([&](server::Config& config) { config.postgres = postgres.ConnInfo(database); });
  // Calls that wait for a revision that does not come, since the store is away.
  gate.Set(TcpGate::Mode::kClosed);
  gate.Cut();
  std::vector<std::thread> slow;
  Json body = MatchBody();
  body["minRevision"] = other.Import({HelperRow("merel", {"skill:sql"})}).revision();
  body["minRevisionWait"] = "30s";
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  for (int i = 0; i < 12; ++i) {
    slow.emplace_back([&] {
      auto client = Http();
      client.set_read_timeout(40);
      auto headers = Bearer(token_);
      headers.emplace("Connect-Timeout-Ms", "40000");
      const auto response = client.Post("/warmline.v1.MatchService/Match", headers, body.dump(), "application/json");
      if (response) ++(response->status == 429 ? refused : answered);
    });
  }
  while (refused < 8) std::this_thread::yield();
  for (int i = 0; i < 20; ++i) {
    auto client = Http();
    client.set_read_timeout(5);
    const auto response = client.Get("/livez");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
  }
  EXPECT_EQ(answered, 0) << "the probes were answered while the calls waited";
  gate.Set(TcpGate::Mode::kOpen);  // what they waited for
  for (std::thread& thread : slow) thread.join();
  EXPECT_EQ(answered, 4);
}

TEST_F(Console, TheMarketAndTheReplicasAreToldOf) {
  Start();
  Json market;
  for (int i = 0; i < 200 && !market.contains("helpers"); ++i) {
    market = Post("/warmline.v1.PoolService/GetMarketHealth",
                  {{"actor", {{"audience", "OPERATOR"}}}, {"name", "pools/p"}}, token_)
                 .second;
    absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_EQ(market["helpers"], "2") << market;
  const auto nowhere = Post("/warmline.v1.PoolService/GetMarketHealth",
                            {{"actor", {{"audience", "OPERATOR"}}}, {"name", "pools/nowhere"}}, token_);
  EXPECT_EQ(nowhere.first, 404);
  const auto [status, replicas] =
      Post("/warmline.v1.PoolService/ListReplicas", {{"actor", {{"audience", "OPERATOR"}}}}, token_);
  ASSERT_EQ(status, 200);
  ASSERT_EQ(replicas["replicas"].size(), 1U);
  EXPECT_EQ(replicas["replicas"][0]["pools"][0]["name"], "pools/p");
  EXPECT_FALSE(replicas.value("complete", false));
}

TEST_F(Console, ATokenOfOnePoolSeesNoOther) {
  std::ofstream(directory_ + "/tokens.json")
      << R"({"tokens": [{"name": "portal", "token": ")" << kToken
      << R"(", "roles": ["reader"], "audiences": ["OPERATOR"], "pools": ["p"]}, {"name": "root", "token": "the-token-of-the-operator", "roles": ["operator"], "audiences": ["OPERATOR"], "pools": ["*"]}]})";
  server_ =
      std::make_unique<TestServer>([&](server::Config& config) { config.tokens_file = directory_ + "/tokens.json"; });
  for (const char* id : {"pools/p", "pools/secret"}) {
    pb::CreatePoolRequest create;
    *create.mutable_actor() = Operator();
    create.mutable_pool()->set_name(id);
    create.mutable_pool()->set_display_name("P");
    create.set_request_id(FreshId());
    pb::WritePoolResponse made;
    ASSERT_TRUE(
        server_->pools().CreatePool(server_->ContextWith("the-token-of-the-operator").get(), create, &made).ok());
  }
  for (const char* call : {"ListPools", "ListReplicas"}) {
    const auto [status, body] =
        Post(std::string("/warmline.v1.PoolService/") + call, {{"actor", {{"audience", "OPERATOR"}}}}, kToken);
    EXPECT_EQ(status, 200);
    EXPECT_THAT(body.dump(), HasSubstr("pools/p\""));
    EXPECT_EQ(body.dump().find("secret"), std::string::npos) << body;
  }
  EXPECT_EQ(Post("/warmline.v1.PoolService/GetMarketHealth",
                 {{"actor", {{"audience", "OPERATOR"}}}, {"name", "pools/secret"}}, kToken)
                .first,
            403);
}

TEST_F(Console, TheAuditLogHoldsWhatWasChangedAndWhoWasRefusedAndNoMember) {
  const std::string path = directory_ + "/audit.log";
  std::ofstream(directory_ + "/key") << "a-key-of-the-audit-log\n";
  std::ofstream(directory_ + "/tokens.json")
      << R"({"tokens": [{"name": "portal", "token": ")" << kToken
      << R"(", "roles": ["reader"], "audiences": ["OPERATOR"], "pools": ["p"]}, {"name": "root", "token": "the-token-of-the-operator", "roles": ["operator"], "audiences": ["OPERATOR"], "pools": ["*"]}]})";
  server_ = std::make_unique<TestServer>([&](server::Config& config) {
    config.tokens_file = directory_ + "/tokens.json";
    config.audit_file = path;
    config.audit_key_file = directory_ + "/key";
  });
  const std::string root = "the-token-of-the-operator";
  pb::CreatePoolRequest create;
  *create.mutable_actor() = Operator();
  create.mutable_pool()->set_name("pools/p");
  create.mutable_pool()->set_display_name("P");
  create.set_request_id(FreshId());
  pb::WritePoolResponse made;
  ASSERT_TRUE(server_->pools().CreatePool(server_->ContextWith(root).get(), create, &made).ok());
  pb::CreateMemberRequest member;
  *member.mutable_actor() = Operator();
  member.set_parent("pools/p");
  member.mutable_member()->set_name("pools/p/members/secretive-amina");
  member.mutable_member()->set_kind(pb::PERSON);
  member.mutable_member()->set_display_name("Secretive Amina");
  member.set_request_id(FreshId());
  pb::WriteMemberResponse written;
  EXPECT_EQ(ReasonOf(server_->members().CreateMember(server_->ContextWith(kToken).get(), member, &written)),
            "ROLE_NOT_ALLOWED");
  const auto created = server_->members().CreateMember(server_->ContextWith(root).get(), member, &written);
  ASSERT_TRUE(created.ok()) << created.error_message();
  pb::GetMemberRequest get;
  *get.mutable_actor() = Operator();
  get.set_name("pools/p/members/secretive-amina");
  pb::Member got;
  ASSERT_TRUE(server_->members().GetMember(server_->ContextWith(kToken).get(), get, &got).ok());
  pb::EraseMemberRequest erase;
  *erase.mutable_actor() = Operator();
  erase.set_name("pools/p/members/secretive-amina");
  pb::Erasure erasure;
  ASSERT_TRUE(server_->members().EraseMember(server_->ContextWith(root).get(), erase, &erasure).ok());
  EXPECT_EQ(Post("/warmline.v1.MemberService/GetMember", {{"name", "pools/p/members/x"}}, "nobody-knows-this").first,
            401);
  server_.reset();

  const std::string text = TextOf(path);
  EXPECT_EQ(text.find("ecretive"), std::string::npos) << text;
  EXPECT_EQ(text.find("the-token"), std::string::npos);
  std::vector<std::string> seen;
  std::istringstream lines(text);
  std::string pseudonym;
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line);
    const std::string call = entry["call"];
    seen.push_back(call.substr(call.rfind('/') + 1) + " " + entry.value("by", "") + " " +
                   entry["code"].get<std::string>() + entry.value("reason", ""));
    if (call.ends_with("EraseMember")) pseudonym = entry.value("resource", "");
    if (call.ends_with("/GetMember")) EXPECT_THAT(entry["peer"].get<std::string>(), HasSubstr("http:127.0.0.1"));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{
                      "CreatePool root OK", "CreateMember portal PERMISSION_DENIEDROLE_NOT_ALLOWED",
                      "CreateMember root OK", "EraseMember root OK", "GetMember  UNAUTHENTICATEDTOKEN_UNKNOWN"}));
  EXPECT_EQ(pseudonym.size(), 16U);
}

TEST_F(Console, AWrongAuditConfigurationIsSaid) {
  const auto start = [&](const std::function<void(server::Config&)>& adjust) {
    server::Config config;
    config.data_dir = directory_ + "/data";
    config.listen = "127.0.0.1:0";
    config.ops_listen = "127.0.0.1:0";
    adjust(config);
    const auto started = server::Server::Start(config);
    return started.ok() ? std::string() : std::string(started.status().message());
  };
  std::ofstream(directory_ + "/short") << "short\n";
  EXPECT_THAT(start([&](server::Config& config) { config.audit_key_file = directory_ + "/short"; }),
              HasSubstr("audit-file: is missing beside audit-key-file"));
  EXPECT_THAT(start([&](server::Config& config) {
                config.audit_file = directory_ + "/audit.log";
                config.audit_key_file = directory_ + "/short";
              }),
              HasSubstr("audit-key-file: holds 5 bytes"));
  EXPECT_THAT(start([&](server::Config& config) { config.audit_file = directory_ + "/none/audit.log"; }),
              HasSubstr("audit-file: cannot write"));
  EXPECT_THAT(start([&](server::Config& config) { config.ops_tls = true; }),
              HasSubstr("tls-cert-file: is missing beside ops-tls"));
}

}  // namespace
}  // namespace warmline::testing
