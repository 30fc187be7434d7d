// kill -9 in a loop while writes are acknowledged: none of them may be missing afterwards. WARMLINE_KILLS says how many
// (200 by default).
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "support/process.h"

namespace warmline::testing {
namespace {

constexpr int kWriters = 4;

TEST(Kill9, NoAcknowledgedWriteIsLost) {
  const char* asked = std::getenv("WARMLINE_KILLS");
  const int kills = asked == nullptr ? 200 : std::atoi(asked);
  std::string directory = ::testing::TempDir() + "warmline-kill-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  std::mt19937 random(20'260'501);
  std::set<std::string> acknowledged;
  std::mutex mutex;
  std::atomic<int> next{0};
  {
    ServeProcess server(directory);
    ASSERT_TRUE(server.listens()) << server.log();
    pb::CreatePoolRequest request;
    *request.mutable_actor() = Operator();
    request.mutable_pool()->set_name("pools/p");
    request.mutable_pool()->set_display_name("P");
    request.set_request_id("create-the-pool");
    pb::WritePoolResponse response;
    ASSERT_TRUE(pb::PoolService::Stub(server.Connect()).CreatePool(server.Context().get(), request, &response).ok());
  }
  for (int kill = 0; kill < kills; ++kill) {
    ServeProcess server(directory);
    ASSERT_TRUE(server.listens()) << "after kill " << kill << ": " << server.log();
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&] {
        pb::MemberService::Stub stub(server.Connect());
        while (true) {
          const std::string id = "m" + std::to_string(++next);
          pb::CreateMemberRequest request;
          *request.mutable_actor() = Operator();
          request.set_parent("pools/p");
          *request.mutable_member() = HelperRow(id, {"skill:sql", "hobby:choir"}).member();
          request.set_request_id("request-" + id);
          pb::WriteMemberResponse response;
          if (!stub.CreateMember(server.Context().get(), request, &response).ok()) return;
          const std::lock_guard lock(mutex);
          acknowledged.insert(id);
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + random() % 60));
    server.Kill9();
    for (auto& writer : writers) writer.join();
  }

  ServeProcess server(directory);
  ASSERT_TRUE(server.listens()) << server.log();
  pb::ExportRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  pb::MemberService::Stub stub(server.Connect());
  const auto context = server.Context(120'000);
  const auto reader = stub.Export(context.get(), request);
  std::set<std::string> present;
  for (pb::ExportResponse page; reader->Read(&page);) {
    for (const auto& row : page.rows()) present.insert(row.member().name().substr(row.member().name().rfind('/') + 1));
  }
  ASSERT_TRUE(reader->Finish().ok());
  std::vector<std::string> lost;
  std::set_difference(acknowledged.begin(), acknowledged.end(), present.begin(), present.end(),
                      std::back_inserter(lost));
  std::printf("kill -9: %d kills, %zu acknowledged writes, %zu members present, %zu lost\n", kills, acknowledged.size(),
              present.size(), lost.size());
  EXPECT_TRUE(lost.empty()) << "first: " << (lost.empty() ? "" : lost[0]);
  EXPECT_GT(acknowledged.size(), static_cast<std::size_t>(kills));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace warmline::testing
