// kill -9 while the timers of introductions are at work: afterwards every ask has expired once, its helper has one
// silence in their evidence for it, all places are free, and no ask was ever at two helpers at once.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "support/introductions_fixture.h"
#include "support/process.h"

namespace warmline::testing {
namespace {

constexpr int kAsks = 40;
constexpr int kTargets = 3;
constexpr int kKills = 12;

std::vector<pb::Introduction> All(ServeProcess& server) {
  std::vector<pb::Introduction> all;
  pb::IntroductionService::Stub asks(server.Connect());
  pb::ListIntroductionsRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_page_size(1'000);
  pb::ListIntroductionsResponse response;
  EXPECT_TRUE(asks.List(server.Context().get(), request, &response).ok());
  return {response.introductions().begin(), response.introductions().end()};
}

// Each seeker asks three helpers of their own, one after the other.
void MakeAsks(ServeProcess& server) {
  pb::CreatePoolRequest pool;
  *pool.mutable_actor() = Operator();
  pool.mutable_pool()->set_name("pools/p");
  pool.mutable_pool()->set_display_name("P");
  pool.mutable_pool()->mutable_policy()->mutable_introductions()->mutable_expiry_normal()->set_seconds(1);
  pool.mutable_pool()->mutable_policy()->mutable_introductions()->set_silent_asks_to_pause(100);
  pool.set_request_id(FreshId());
  pb::WritePoolResponse created;
  ASSERT_TRUE(pb::PoolService::Stub(server.Connect()).CreatePool(server.Context().get(), pool, &created).ok());
  pb::MemberService::Stub members(server.Connect());
  const auto context = server.Context(60'000);
  pb::ImportResponse imported;
  const auto writer = members.Import(context.get(), &imported);
  pb::ImportRequest rows;
  *rows.mutable_actor() = Operator();
  rows.set_parent("pools/p");
  rows.set_vouch(true);
  for (int i = 0; i < kAsks; ++i) {
    *rows.add_rows() = SeekerRow("s" + std::to_string(i));
    for (int t = 0; t < kTargets; ++t)
      *rows.add_rows() = HelperRow("h" + std::to_string(i) + "-" + std::to_string(t), {"skill:sql"});
  }
  ASSERT_TRUE(writer->Write(rows));
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  pb::IntroductionService::Stub asks(server.Connect());
  for (int i = 0; i < kAsks; ++i) {
    const std::string seeker = "s" + std::to_string(i);
    pb::RequestRequest request;
    *request.mutable_actor() = Acting(pb::SEEKER, seeker);
    request.set_parent("pools/p");
    *request.mutable_inline_need() = NeedOf(seeker, {"skill:sql"});
    for (int t = 0; t < kTargets; ++t)
      request.add_targets()->set_helper(Name("h" + std::to_string(i) + "-" + std::to_string(t)));
    request.set_message(MessageNumber(i));
    request.set_request_id(FreshId());
    pb::WriteIntroductionResponse response;
    const auto status = asks.Request(server.Context().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
}

TEST(Timers, EveryExpiryHappensOnceThroughKills) {
  std::string directory = ::testing::TempDir() + "warmline-timers-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  {
    ServeProcess server(directory);
    ASSERT_TRUE(server.listens()) << server.log();
    ASSERT_NO_FATAL_FAILURE(MakeAsks(server));
    server.Kill9();
  }
  std::mt19937 random(20'261'126);
  for (int kill = 0; kill < kKills; ++kill) {
    ServeProcess server(directory);
    ASSERT_TRUE(server.listens()) << "after kill " << kill << ": " << server.log();
    std::map<std::string, int> open;
    for (const auto& i : All(server)) open[i.ask()] += i.state() == pb::AWAITING_HELPER ? 1 : 0;
    for (const auto& [ask, count] : open) EXPECT_LE(count, 1) << ask;
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 700));
    server.Kill9();
  }
  ServeProcess server(directory);
  ASSERT_TRUE(server.listens()) << server.log();
  std::vector<pb::Introduction> all;
  for (int i = 0; i < 500; ++i) {
    all = All(server);
    if (std::all_of(all.begin(), all.end(), [](const auto& in) { return in.state() == pb::EXPIRED; })) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_EQ(all.size(), static_cast<std::size_t>(kAsks * kTargets));
  pb::MemberService::Stub members(server.Connect());
  for (const auto& introduction : all) {
    EXPECT_EQ(introduction.state(), pb::EXPIRED) << introduction.name();
    pb::GetMemberRequest request;
    *request.mutable_actor() = Operator();
    request.set_name(introduction.helper());
    pb::Member helper;
    ASSERT_TRUE(members.GetMember(server.Context().get(), request, &helper).ok());
    EXPECT_EQ(helper.load().open_asks(), 0) << helper.name();
    EXPECT_EQ(helper.load().asks_this_week(), 1) << helper.name();
    EXPECT_EQ(helper.silent_asks(), 1) << helper.name();
    ASSERT_EQ(helper.evidence_size(), 1) << helper.name();
    EXPECT_EQ(helper.evidence(0).outcome(), pb::NO_REPLY);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace warmline::testing
