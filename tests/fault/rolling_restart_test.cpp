// Three replicas are restarted one after the other, as a rollout does, while callers go on behind client-side
// balancing: no call fails, with the published client configuration and, what is harder, without any retry.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "support/child_process.h"
#include "support/process.h"

namespace warmline::testing {
namespace {

constexpr int kReplicas = 3;
constexpr int kCallers = 6;
constexpr int kWriteEvery = 20;

std::string PublishedConfig() {
  std::ifstream file(std::string(std::getenv("WARMLINE_SOURCE")) +
                     "/proto/warmline/v1/warmline_grpc_service_config.json");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}
// What operations.md asks of callers in a cluster.
constexpr char kNoRetries[] =
    R"({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "warmline.v1.MatchService"}})";

class RollingRestart : public ::testing::TestWithParam<bool> {
 protected:
  RollingRestart() : directory_(::testing::TempDir() + "warmline-rolling-XXXXXX"), database_(NewClusterDatabase()) {
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
    for (int i = 0; i < kReplicas; ++i) ports_.push_back(FreePort());
    for (int i = 0; i < kReplicas; ++i) replicas_.push_back(Start(i));
  }
  ~RollingRestart() override {
    replicas_.clear();
    std::filesystem::remove_all(directory_);
  }
  std::unique_ptr<ServeProcess> Start(int replica) {
    auto process = std::make_unique<ServeProcess>(
        directory_, std::vector<std::string>{"--postgres", database_, "--redis", SharedRedis().url(), "--redis-prefix",
                                             "rolling", "--listen", "127.0.0.1:" + std::to_string(ports_[replica])});
    EXPECT_TRUE(process->listens()) << process->log();
    return process;
  }
  // One channel over all replicas, as a caller in a cluster has it from DNS.
  [[nodiscard]] std::shared_ptr<grpc::Channel> Balanced() const {
    std::string target = "ipv4:";
    for (const int port : ports_)
      target += (target.size() > 5 ? "," : "") + std::string("127.0.0.1:") + std::to_string(port);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetServiceConfigJSON(GetParam() ? PublishedConfig() : kNoRetries);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
    if (!GetParam()) arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  }
  void Call(const std::shared_ptr<grpc::Channel>& channel, int caller, int number) {
    const auto context = replicas_token_;
    grpc::ClientContext client;
    client.AddMetadata("authorization", "Bearer " + context);
    client.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
    grpc::Status status;
    if (number % kWriteEvery == 0) {
      const std::string id = "m" + std::to_string(caller) + "-" + std::to_string(number);
      pb::CreateMemberRequest request;
      *request.mutable_actor() = Operator();
      request.set_parent("pools/p");
      *request.mutable_member() = SeekerRow(id).member();
      request.set_request_id("request-" + id);
      pb::WriteMemberResponse response;
      status = pb::MemberService::Stub(channel).CreateMember(&client, request, &response);
    } else {
      pb::MatchRequest request;
      *request.mutable_actor() = Operator();
      request.set_parent("pools/p");
      *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
      pb::MatchResponse response;
      status = pb::MatchService::Stub(channel).Match(&client, request, &response);
      if (status.ok() && response.matches_size() == 0) status = grpc::Status(grpc::StatusCode::DATA_LOSS, "no match");
    }
    ++calls_;
    if (status.ok()) return;
    const std::lock_guard lock(mutex_);
    ++failures_[std::to_string(status.error_code()) + " " + status.error_message()];
  }

  std::string directory_;
  std::string database_;
  std::vector<int> ports_;
  std::vector<std::unique_ptr<ServeProcess>> replicas_;
  std::string replicas_token_;
  std::atomic<int> calls_{0};
  std::mutex mutex_;
  std::map<std::string, int> failures_;
};

TEST_P(RollingRestart, NoCallFails) {
  replicas_token_ = replicas_[0]->token();
  {
    const auto channel = replicas_[0]->Connect();
    pb::CreatePoolRequest request;
    *request.mutable_actor() = Operator();
    request.mutable_pool()->set_name("pools/p");
    request.mutable_pool()->set_display_name("P");
    request.set_request_id("create-the-pool");
    pb::WritePoolResponse response;
    ASSERT_TRUE(pb::PoolService::Stub(channel).CreatePool(replicas_[0]->Context().get(), request, &response).ok());
    pb::ImportResponse imported;
    pb::MemberService::Stub stub(channel);
    const auto context = replicas_[0]->Context();
    const auto writer = stub.Import(context.get(), &imported);
    pb::ImportRequest rows;
    *rows.mutable_actor() = Operator();
    rows.set_parent("pools/p");
    rows.set_vouch(true);
    *rows.add_rows() = SeekerRow("amina");
    for (int i = 0; i < 50; ++i) *rows.add_rows() = HelperRow("h" + std::to_string(i), {"skill:sql"});
    writer->Write(rows);
    writer->WritesDone();
    ASSERT_TRUE(writer->Finish().ok());
  }
  absl::SleepFor(absl::Seconds(1.5));  // every replica has heard of the pool
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c) {
    callers.emplace_back([this, c, &stop] {
      const auto channel = Balanced();
      for (int number = 1; !stop; ++number) Call(channel, c, number);
    });
  }
  absl::SleepFor(absl::Seconds(1));
  for (int i = 0; i < kReplicas; ++i) {
    replicas_[static_cast<std::size_t>(i)]->Signal(SIGTERM);
    EXPECT_EQ(replicas_[static_cast<std::size_t>(i)]->WaitForEnd(), 0);
    replicas_[static_cast<std::size_t>(i)] = Start(i);
    absl::SleepFor(absl::Seconds(1));  // callers find it again
  }
  stop = true;
  for (auto& caller : callers) caller.join();
  int failed = 0;
  for (const auto& [what, count] : failures_) {
    failed += count;
    ADD_FAILURE() << count << " x " << what;
  }
  EXPECT_GT(calls_, 1'000);
  std::cout << (GetParam() ? "published configuration: " : "without retries: ") << calls_ << " calls, " << failed
            << " failed\n";
}

INSTANTIATE_TEST_SUITE_P(Callers, RollingRestart, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Published" : "WithoutRetries"; });

}  // namespace
}  // namespace warmline::testing
