// Servers that share one PostgreSQL, and one Redis where the parameter says so. One thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/test_server.h"

namespace warmline::testing {

// With Redis, or with the change log alone.
class Replicas : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<TestServer> Start(absl::Duration poll = absl::Milliseconds(100)) {
    return std::make_unique<TestServer>([this, poll](server::Config& config) {
      config.postgres = database_;
      config.poll_interval = poll;
      config.snapshot_interval = absl::Milliseconds(300);
      if (GetParam()) UseSharedRedis(config, prefix_);
    });
  }
  static pb::MatchResponse Match(const TestServer& server, const std::string& revision,
                                 const std::string& interest = "skill:sql", const std::string& pool = "p") {
    pb::MatchRequest request;
    *request.mutable_actor() = Operator();
    request.set_parent("pools/" + pool);
    request.set_min_revision(revision);
    *request.mutable_inline_need() = NeedOf("amina", {interest});
    if (pool != "p") request.mutable_inline_need()->set_seeker("pools/" + pool + "/members/amina");
    pb::MatchResponse response;
    const auto status = server.matches().Match(server.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message() << " " << ReasonOf(status);
    return response;
  }
  static std::vector<std::string> Names(const pb::MatchResponse& response) {
    std::vector<std::string> names;
    for (const auto& match : response.matches()) names.push_back(match.helper());
    return names;
  }
  static std::string Update(const TestServer& server, const std::string& id, const std::string& interest) {
    pb::UpdateMemberRequest request;
    *request.mutable_actor() = Operator();
    request.mutable_member()->set_name("pools/p/members/" + id);
    request.mutable_member()->add_interests()->set_interest(interest);
    request.add_update_mask("interests");
    pb::WriteMemberResponse response;
    const auto status = server.members().UpdateMember(server.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.revision();
  }

  static std::int64_t MembersOf(const TestServer& server) {
    pb::GetIndexStateRequest request;
    *request.mutable_actor() = Operator();
    request.set_name("pools/p");
    pb::IndexState state;
    (void)server.pools().GetIndexState(server.Context().get(), request, &state);
    return state.members();
  }
  static bool Eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 500; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  const std::string database_ = NewClusterDatabase();
  const std::string prefix_ = FreshId();
};

}  // namespace warmline::testing
