// Events for backend services, as a backend service gets them: signed, in order, at least once, whatever fails.
#include <httplib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "outbox/webhook.h"
#include "support/child_process.h"
#include "support/introductions_fixture.h"
#include "support/process.h"

namespace warmline::testing {
namespace {

using nlohmann::json;

constexpr char kSecret[] = "a secret of more than sixteen bytes";

// Takes what is sent, or refuses it.
class Receiver {
 public:
  Receiver() {
    server_.Post("/events", [this](const httplib::Request& request, httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      const std::string header = request.get_header_value("Warmline-Signature");
      const std::int64_t seconds = std::stoll(header.substr(2));
      const std::string expected =
          "t=" + std::to_string(seconds) + ",v1=" + outbox::Signature(kSecret, seconds, request.body);
      if (header != expected || std::abs(seconds - absl::ToUnixSeconds(absl::Now())) > 60) ++unsigned_;
      ++requests_;
      // What is taken though the answer says otherwise comes again.
      const bool refuses = refuse_ > 0 && refuse_-- > 0;
      const json batch = json::parse(request.body);
      for (const auto& event : batch.at("events")) events_.push_back(event);
      response.status = refuses ? 503 : 204;
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~Receiver() {
    while (!server_.is_running()) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/events"; }
  void Refuse(int requests) {
    const std::lock_guard lock(mutex_);
    refuse_ = requests;
  }
  [[nodiscard]] std::vector<json> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  [[nodiscard]] int unsigned_requests() {
    const std::lock_guard lock(mutex_);
    return unsigned_;
  }
  // True once an event of each member's name has come.
  [[nodiscard]] bool WaitForMember(const std::string& name, int times = 1) {
    for (int i = 0; i < 1'200; ++i) {
      int seen = 0;
      for (const json& event : events()) seen += event.value("member_changed", "") == name ? 1 : 0;
      if (seen >= times) return true;
      absl::SleepFor(absl::Milliseconds(50));
    }
    return false;
  }

 private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  std::mutex mutex_;
  std::vector<json> events_;
  int requests_ = 0;
  int unsigned_ = 0;
  int refuse_ = 0;
};

std::string SecretFile(const std::string& directory, const std::string& secret = kSecret) {
  const std::string path = directory + "/webhook.secret";
  std::ofstream(path) << secret << "\n";
  return path;
}

void CreateMember(grpc::ClientContext* context, pb::MemberService::Stub& members, const std::string& id) {
  pb::CreateMemberRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_member_id(id);
  request.mutable_member()->set_kind(pb::PERSON);
  request.mutable_member()->set_display_name(id);
  request.set_request_id(FreshId());
  pb::WriteMemberResponse response;
  const auto status = members.CreateMember(context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

TEST(Outbox, TellsEverythingInOrderThroughRefusalsAndKills) {
  Receiver receiver;
  const std::string directory = TemporaryDirectory("outbox");
  const std::vector<std::string> options = {"--webhook-url", receiver.url(), "--webhook-secret-file",
                                            SecretFile(directory)};
  constexpr int kRounds = 4;
  constexpr int kMembers = 60;
  int number = 0;
  for (int round = 0; round < kRounds; ++round) {
    ServeProcess server(directory, options);
    ASSERT_TRUE(server.listens()) << server.log();
    if (round == 0) {
      pb::CreatePoolRequest pool;
      *pool.mutable_actor() = Operator();
      pool.mutable_pool()->set_name("pools/p");
      pool.mutable_pool()->set_display_name("P");
      pool.set_request_id(FreshId());
      pb::WritePoolResponse created;
      ASSERT_TRUE(pb::PoolService::Stub(server.Connect()).CreatePool(server.Context().get(), pool, &created).ok());
    }
    receiver.Refuse(1);
    pb::MemberService::Stub members(server.Connect());
    for (int i = 0; i < kMembers; ++i) CreateMember(server.Context().get(), members, "m" + std::to_string(number++));
    if (round + 1 < kRounds) {
      server.Kill9();
    } else {
      EXPECT_TRUE(receiver.WaitForMember("pools/p/members/m" + std::to_string(number - 1), 1));
    }
  }
  EXPECT_EQ(receiver.unsigned_requests(), 0);
  // Each event has one id and one content; the first arrivals are in order, and none is missing.
  std::map<std::string, json> by_id;
  std::vector<std::string> members;
  bool pool_told = false;
  for (const json& event : receiver.events()) {
    const auto [known, is_new] = by_id.emplace(event.at("id"), event);
    EXPECT_EQ(known->second, event);
    if (!is_new) continue;
    pool_told = pool_told || event.contains("pool_changed");
    if (event.contains("member_changed")) members.push_back(event.at("member_changed"));
    EXPECT_EQ(event.at("pool"), "pools/p");
  }
  EXPECT_TRUE(pool_told);
  ASSERT_EQ(members.size(), static_cast<std::size_t>(number));
  for (int i = 0; i < number; ++i)
    EXPECT_EQ(members[static_cast<std::size_t>(i)], "pools/p/members/m" + std::to_string(i));
  std::filesystem::remove_all(directory);
}

class OutboxOfServer : public Introductions {
 protected:
  OutboxOfServer()
      : Introductions([this](server::Config& config) {
          config.webhook_url = receiver_->url();
          config.webhook_secret_file = SecretFile(directory_);
        }) {}
  ~OutboxOfServer() override {
    server_.Stop();
    std::filesystem::remove_all(directory_);
  }
  // Before the base class is made.
  static inline std::unique_ptr<Receiver> receiver_;
  static inline std::string directory_;
  static void SetUpTestSuite() {
    receiver_ = std::make_unique<Receiver>();
    directory_ = TemporaryDirectory("outbox-server");
  }
  static void TearDownTestSuite() { receiver_.reset(); }
};

TEST_F(OutboxOfServer, TellsOfIntroductionsNeedsAndErasuresByName) {
  server_.Import({SeekerRow("amina"), HelperRow("hana", {"skill:sql"})});
  const auto made = MustSend(Ask("amina", {"hana"}));
  ASSERT_TRUE(Accept("hana", made.name()).ok());
  pb::EraseMemberRequest erase;
  *erase.mutable_actor() = Operator();
  erase.set_name(Name("hana"));
  pb::Erasure erasure;
  ASSERT_TRUE(server_.members().EraseMember(server_.Context().get(), erase, &erasure).ok());
  CreateMember(server_.Context().get(), *std::make_unique<pb::MemberService::Stub>(server_.channel()), "last");
  ASSERT_TRUE(receiver_->WaitForMember(Name("last")));
  bool erased = false;
  for (const json& event : receiver_->events()) {
    if (event.contains("introduction_moved")) {
      EXPECT_EQ(event.at("introduction_moved").at("introduction"), made.name());
      EXPECT_EQ(event.at("introduction_moved").at("seeker"), Name("amina"));
    }
    erased = erased || event.contains("member_erased");
    // Names only: no message, no word that somebody wrote.
    EXPECT_EQ(event.dump().find("nurse"), std::string::npos);
  }
  EXPECT_TRUE(erased);
}

TEST(OutboxOptions, AreCheckedAtTheStart) {
  const std::string directory = TemporaryDirectory("outbox-options");
  application::SystemClock clock;
  const auto message = [&](const std::string& url, const std::string& secret) {
    const auto made =
        outbox::Webhook::Make({.url = url, .secret = secret}, domain::RevisionTokens(std::string(32, 'k'), 1), clock);
    return made.ok() ? std::string() : std::string(made.status().message());
  };
  EXPECT_EQ(message("https://example.org/hooks", kSecret), "");
  for (const char* url : {"", "example.org", "ftp://example.org/", "http://", "http://u@h/", "https://h?x"})
    EXPECT_THAT(message(url, kSecret), ::testing::HasSubstr("webhook-url")) << url;
  EXPECT_THAT(message("https://example.org/", "short"), ::testing::HasSubstr("openssl rand -hex 32"));
  const ServeProcess server(directory, {"--webhook-url", "http://127.0.0.1:1/"});
  EXPECT_FALSE(server.listens());
  EXPECT_THAT(server.log(), ::testing::HasSubstr("webhook-secret-file"));
  std::filesystem::remove_all(directory);
}

TEST(OutboxSignature, IsAnHmacOverTimeAndBody) {
  // printf '1700000000.{}' | openssl dgst -sha256 -hmac secret
  EXPECT_EQ(outbox::Signature("secret", 1'700'000'000, "{}"),
            "b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163");
}

}  // namespace
}  // namespace warmline::testing
