// What the tests of IntroductionService share: a server, and calls of every party.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/test_server.h"
#include "warmline/v1/error_reason.pb.h"
#include "warmline/v1/introduction_service.grpc.pb.h"

namespace warmline::testing {

inline constexpr char kMessage[] =
    "I retrained as a data engineer after twelve years as a nurse. Could you look at my résumé before I send it?";

inline std::string Name(const std::string& id) { return "pools/p/members/" + id; }

// A message that shares no words with that of another number.
inline std::string MessageNumber(int number) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "word" + std::to_string(number * 1000 + i) + " ";
  return text;
}

class Introductions : public ::testing::Test {
 protected:
  explicit Introductions(std::function<void(server::Config&)> adjust = {}) : server_(std::move(adjust)) {
    server_.CreatePool();
  }
  [[nodiscard]] pb::IntroductionService::Stub asks() const { return pb::IntroductionService::Stub(server_.channel()); }

  void SetRules(const std::function<void(pb::IntroductionRules&)>& set,
                pb::Visibility visibility = pb::VISIBILITY_UNSPECIFIED) {
    pb::UpdatePoolRequest request;
    *request.mutable_actor() = Operator();
    request.mutable_pool()->set_name("pools/p");
    set(*request.mutable_pool()->mutable_policy()->mutable_introductions());
    request.mutable_pool()->mutable_policy()->set_second_degree_visibility(visibility);
    request.add_update_mask("policy");
    pb::WritePoolResponse response;
    const auto status = server_.pools().UpdatePool(server_.Context().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  static pb::RequestRequest Ask(const std::string& seeker, const std::vector<std::string>& helpers,
                                const std::string& message = kMessage) {
    pb::RequestRequest request;
    *request.mutable_actor() = Acting(pb::SEEKER, seeker);
    request.set_parent("pools/p");
    *request.mutable_inline_need() = NeedOf(seeker, {"skill:sql"});
    for (const std::string& helper : helpers) request.add_targets()->set_helper(Name(helper));
    request.set_message(message);
    request.set_request_id(FreshId());
    return request;
  }
  grpc::Status Send(const pb::RequestRequest& request, pb::Introduction* made = nullptr) {
    pb::WriteIntroductionResponse response;
    const auto status = asks().Request(server_.Context().get(), request, &response);
    if (made != nullptr) *made = response.introduction();
    return status;
  }
  pb::Introduction MustSend(const pb::RequestRequest& request) {
    pb::Introduction made;
    const auto status = Send(request, &made);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return made;
  }
  // The reasons of a review, as "REASON".
  std::vector<std::string> ReviewOf(const pb::RequestRequest& request, pb::ReviewResponse* response = nullptr) {
    pb::ReviewResponse own;
    if (response == nullptr) response = &own;
    const auto status = asks().Review(server_.Context().get(), request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<std::string> reasons;
    for (const auto& refusal : response->refusals()) reasons.push_back(pb::ErrorReason_Name(refusal.reason()));
    EXPECT_EQ(response->would_pass(), reasons.empty());
    return reasons;
  }
  // Both must refuse: the review first of all with `reason`.
  void ExpectRefused(const pb::RequestRequest& request, const std::string& reason, grpc::StatusCode code) {
    EXPECT_THAT(ReviewOf(request), ::testing::Contains(reason));
    const auto status = Send(request);
    EXPECT_EQ(ReasonOf(status), reason) << status.error_message();
    EXPECT_EQ(status.error_code(), code) << status.error_message();
  }

  grpc::Status Forward(const std::string& who, const std::string& name, const std::string& note = "") {
    pb::ForwardIntroductionRequest request;
    *request.mutable_actor() = Acting(pb::INTRODUCER, who);
    request.set_name(name);
    request.set_note(note);
    pb::WriteIntroductionResponse response;
    return asks().Forward(server_.Context().get(), request, &response);
  }
  grpc::Status Accept(const std::string& who, const std::string& name, const std::string& etag = "") {
    pb::MoveIntroductionRequest request;
    *request.mutable_actor() = Acting(pb::HELPER, who);
    request.set_name(name);
    request.set_etag(etag);
    pb::WriteIntroductionResponse response;
    return asks().Accept(server_.Context().get(), request, &response);
  }
  grpc::Status Decline(pb::Audience audience, const std::string& who, const std::string& name,
                       const std::string& note = "") {
    pb::DeclineIntroductionRequest request;
    *request.mutable_actor() = Acting(audience, who);
    request.set_name(name);
    request.set_note(note);
    pb::WriteIntroductionResponse response;
    return asks().Decline(server_.Context().get(), request, &response);
  }
  grpc::Status Cancel(const std::string& who, const std::string& name) {
    pb::MoveIntroductionRequest request;
    *request.mutable_actor() = Acting(pb::SEEKER, who);
    request.set_name(name);
    pb::WriteIntroductionResponse response;
    return asks().Cancel(server_.Context().get(), request, &response);
  }
  grpc::Status Report(pb::Audience audience, const std::string& who, const std::string& name, pb::OutcomeKind outcome,
                      pb::Introduction* after = nullptr) {
    pb::ReportOutcomeRequest request;
    *request.mutable_actor() = Acting(audience, who);
    request.set_name(name);
    request.set_outcome(outcome);
    pb::WriteIntroductionResponse response;
    const auto status = asks().ReportOutcome(server_.Context().get(), request, &response);
    if (after != nullptr) *after = response.introduction();
    return status;
  }
  pb::Introduction Get(const pb::Actor& actor, const std::string& name, grpc::Status* status = nullptr) {
    pb::GetIntroductionRequest request;
    *request.mutable_actor() = actor;
    request.set_name(name);
    pb::Introduction introduction;
    const auto got = asks().Get(server_.Context().get(), request, &introduction);
    if (status != nullptr) *status = got;
    return introduction;
  }
  std::vector<pb::Introduction> List(const pb::Actor& actor, const std::string& member, bool open_only = false) {
    pb::ListIntroductionsRequest request;
    *request.mutable_actor() = actor;
    request.set_parent("pools/p");
    if (!member.empty()) request.set_member(Name(member));
    request.set_open_only(open_only);
    pb::ListIntroductionsResponse response;
    const auto status = asks().List(server_.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return {response.introductions().begin(), response.introductions().end()};
  }
  pb::Member Member(const std::string& id) {
    pb::GetMemberRequest request;
    *request.mutable_actor() = Operator();
    request.set_name(Name(id));
    pb::Member member;
    EXPECT_TRUE(server_.members().GetMember(server_.Context().get(), request, &member).ok());
    return member;
  }
  pb::MatchResponse Match(const std::string& seeker) {
    pb::MatchRequest request;
    *request.mutable_actor() = Acting(pb::SEEKER, seeker);
    request.set_parent("pools/p");
    *request.mutable_inline_need() = NeedOf(seeker, {"skill:sql"});
    request.set_count_rules(true);
    pb::MatchResponse response;
    const auto status = server_.matches().Match(server_.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  template <typename Holds>
  static bool Eventually(Holds holds) {
    for (int i = 0; i < 500; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  // amina knows bo, who knows carla; bo introduces.
  void ImportChain() {
    pb::Row bo = SeekerRow("bo");
    bo.mutable_member()->set_introduces(true);
    server_.Import({SeekerRow("amina"), bo, HelperRow("carla", {"skill:sql"}, pb::SECOND_DEGREE), TieRow("amina", "bo"),
                    TieRow("bo", "carla")});
  }

  TestServer server_;
};

}  // namespace warmline::testing
