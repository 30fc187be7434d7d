// Many who ask at the same moment for the last place of a helper, on one server and on three replicas.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "support/introductions_fixture.h"

namespace warmline::testing {
namespace {

TEST_F(Introductions, OfAHundredWhoAskAtOnceForTheLastPlaceOneGetsIt) {
  pb::Row ingrid = HelperRow("ingrid", {"skill:sql"});
  ingrid.mutable_member()->mutable_offer()->mutable_capacity()->set_open_asks(1);
  std::vector<pb::Row> rows = {ingrid};
  constexpr int kSeekers = 100;
  for (int i = 0; i < kSeekers; ++i) rows.push_back(SeekerRow("s" + std::to_string(i)));
  const std::string revision = server_.Import(rows).revision();
  // On the cluster profile, three replicas; on the embedded one, this one.
  std::vector<std::unique_ptr<TestServer>> more;
  std::vector<const TestServer*> replicas = {&server_};
  if (IsClusterProfile()) {
    for (int i = 0; i < 2; ++i) {
      more.push_back(std::make_unique<TestServer>([&](server::Config& config) {
        config.postgres = server_.config().postgres;
        config.redis = server_.config().redis;
        config.redis_prefix = server_.config().redis_prefix;
      }));
      replicas.push_back(more.back().get());
      ASSERT_TRUE(Eventually([&] {
        pb::GetMemberRequest request;
        *request.mutable_actor() = Operator();
        request.set_name(Name("s99"));
        pb::Member member;
        return more.back()->members().GetMember(more.back()->Context().get(), request, &member).ok();
      }));
    }
  }
  std::atomic<int> won{0};
  std::atomic<int> full{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  constexpr int kThreads = 20;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < kSeekers; i += kThreads) {
        const TestServer& replica = *replicas[static_cast<std::size_t>(i) % replicas.size()];
        pb::WriteIntroductionResponse response;
        const auto status = pb::IntroductionService::Stub(replica.channel())
                                .Request(replica.Context(60'000).get(),
                                         Ask("s" + std::to_string(i), {"ingrid"}, MessageNumber(i)), &response);
        const std::string reason = ReasonOf(status);
        if (status.ok()) {
          ++won;
        } else if (reason == "HELPER_IS_FULL") {
          ++full;
        } else {
          ++wrong;
          ADD_FAILURE() << reason << " " << status.error_message();
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(full, kSeekers - 1);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Member("ingrid").load().open_asks(), 1);
}

}  // namespace
}  // namespace warmline::testing
