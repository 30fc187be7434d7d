// The store in trouble under a running server: matches go on from memory, writes are refused with the reason, nothing
// is half-done, and afterwards writes work again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "storage/sqlite/database.h"
#include "support/test_server.h"

namespace warmline::testing {
namespace {

// A file system of its own that soon is full; goes with the test, also when that ends early.
class SmallDisk {
 public:
  explicit SmallDisk(const char* size) {
    mounted_ = mkdtemp(directory_.data()) != nullptr && mount("tmpfs", directory_.c_str(), "tmpfs", 0, size) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount(directory_.c_str());
    std::filesystem::remove_all(directory_);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  std::string directory_ = ::testing::TempDir() + "warmline-full-XXXXXX";
  bool mounted_ = false;
};

using ::testing::HasSubstr;

grpc::Status Create(TestServer& server, const std::string& id, std::size_t padding = 0) {
  pb::CreateMemberRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  *request.mutable_member() = HelperRow(id, {"skill:sql"}).member();
  for (std::size_t i = 0; i < padding; ++i)
    request.mutable_member()->add_interests()->set_interest("topic:" + std::string(180, 'x') + std::to_string(i));
  request.set_request_id(FreshId());
  pb::WriteMemberResponse response;
  return server.members().CreateMember(server.Context().get(), request, &response);
}

std::int64_t Candidates(TestServer& server) {
  pb::MatchRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_count_rules(true);
  *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
  pb::MatchResponse response;
  const auto status = server.matches().Match(server.Context().get(), request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.candidates();
}

TEST(StoreTrouble, ALockedDatabaseRefusesWritesAndServesMatches) {
  TestServer server;
  server.CreatePool();
  server.Import({SeekerRow("amina"), HelperRow("h1", {"skill:sql"})});
  auto other =
      storage::sqlite::Database::Open(server.directory() + "/warmline.db", storage::sqlite::Database::Mode::kReadWrite);
  ASSERT_TRUE((*other)->RunScript("BEGIN IMMEDIATE").ok());
  const auto status = Create(server, "h2");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "STORE_UNAVAILABLE");
  EXPECT_THAT(status.error_message(), HasSubstr("locked by another process; end it, then try again"));
  EXPECT_EQ(Candidates(server), 1);
  ASSERT_TRUE((*other)->RunScript("ROLLBACK").ok());
  EXPECT_TRUE(Create(server, "h2").ok());
  EXPECT_EQ(Candidates(server), 2);
}

TEST(StoreTrouble, AFullDiskRefusesWritesKeepsWhatItHasAndRecovers) {
  const SmallDisk disk("size=8m");
  if (!disk.mounted()) GTEST_SKIP() << "this machine does not let the test mount a small disk (it needs root)";
  const std::string& directory = disk.directory();
  {
    TestServer server([&](server::Config& config) { config.data_dir = directory; });
    std::ofstream(directory + "/ballast") << std::string(3 * 1024 * 1024, 'x');
    // TestServer reads its token from its own directory; this one is elsewhere.
    std::filesystem::copy_file(directory + "/operator.token", server.directory() + "/operator.token");
    server.Restart();
    server.CreatePool();
    server.Import({SeekerRow("amina")});
    grpc::Status status;
    int kept = 0;
    while (kept < 2'000 && (status = Create(server, "h" + std::to_string(kept), 150)).ok()) ++kept;
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(ReasonOf(status), "STORE_FULL") << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr("make room, then try again"));
    EXPECT_EQ(Candidates(server), kept);  // nothing half-done is visible
    std::filesystem::remove(directory + "/ballast");
    EXPECT_TRUE(Create(server, "after").ok());
    EXPECT_EQ(Candidates(server), kept + 1);
    server.Restart();
    EXPECT_EQ(Candidates(server), kept + 1);
  }
}

// The disk is full to the last byte: members can still be erased, everywhere, and the room for it is kept back again.
TEST(StoreTrouble, AFullDiskDoesNotStopErasures) {
  const SmallDisk disk("size=32m");
  if (!disk.mounted()) GTEST_SKIP() << "this machine does not let the test mount a small disk (it needs root)";
  const std::string& directory = disk.directory();
  const auto fill_up = [&] {
    std::ofstream ballast(directory + "/ballast", std::ios::app | std::ios::binary);
    while (ballast << std::string(4096, 'x') && ballast.flush()) continue;
    EXPECT_EQ(std::filesystem::space(directory).available, 0U);
  };
  const auto files_with = [&](const std::string& id) {
    int files = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
      if (file.is_regular_file() && TextOf(file.path()).find(id) != std::string::npos) ++files;
    }
    return files;
  };
  {
    TestServer server([&](server::Config& config) {
      config.data_dir = directory;
      config.snapshot_interval = absl::Milliseconds(200);
    });
    std::filesystem::copy_file(directory + "/operator.token", server.directory() + "/operator.token");
    server.Restart();
    server.CreatePool();
    server.Import({SeekerRow("amina")});
    grpc::Status status;
    int kept = 0;
    while (kept < 200 && (status = Create(server, "unmistakable-" + std::to_string(kept) + "-id", 20)).ok()) ++kept;
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (int round = 0; round < 10; ++round) {
      fill_up();
      EXPECT_EQ(ReasonOf(Create(server, "refused", 150)), "STORE_FULL");
      const std::string id = "unmistakable-" + std::to_string(round) + "-id";
      EXPECT_GT(files_with(id), 0);
      pb::EraseMemberRequest request;
      *request.mutable_actor() = Operator();
      request.set_name("pools/p/members/" + id);
      pb::Erasure erasure;
      status = server.members().EraseMember(server.Context().get(), request, &erasure);
      ASSERT_TRUE(status.ok()) << round << ": " << status.error_message();
      pb::GetErasureRequest get;
      *get.mutable_actor() = Operator();
      get.set_name(erasure.name());
      for (int i = 0; i < 1'000 && !erasure.done(); ++i) {
        ASSERT_TRUE(server.members().GetErasure(server.Context().get(), get, &erasure).ok());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      EXPECT_TRUE(erasure.done());
      EXPECT_EQ(files_with(id), 0) << round;
      EXPECT_EQ(Candidates(server), kept - round - 1);
      // Others did not get what is kept back: what the cut log and the old snapshot left over is taken first.
      fill_up();
      EXPECT_EQ(ReasonOf(Create(server, "refused", 150)), "STORE_FULL");
    }
    EXPECT_GE(std::filesystem::file_size(directory + "/warmline.db.reserve"), 1U << 20);
    std::filesystem::remove(directory + "/ballast");
    EXPECT_TRUE(Create(server, "after").ok());
    server.Restart();
    EXPECT_EQ(Candidates(server), kept - 10 + 1);
  }
}

}  // namespace
}  // namespace warmline::testing
