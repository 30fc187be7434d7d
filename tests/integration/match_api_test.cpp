// MatchService over gRPC: answers, who may see what, revisions, streams, suggestions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MatchApi : public ::testing::Test {
 protected:
  void SetUp() override { server_.CreatePool(); }

  pb::MatchResponse Match(const pb::MatchRequest& request) {
    pb::MatchResponse response;
    const auto status = server_.matches().Match(server_.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  grpc::Status Error(const pb::MatchRequest& request) {
    pb::MatchResponse response;
    return server_.matches().Match(server_.Context().get(), request, &response);
  }
  static pb::MatchRequest Ask(const pb::Actor& actor, const pb::Need& need) {
    pb::MatchRequest request;
    *request.mutable_actor() = actor;
    request.set_parent("pools/p");
    *request.mutable_inline_need() = need;
    return request;
  }
  static std::vector<std::string> Helpers(const pb::MatchResponse& response) {
    std::vector<std::string> names;
    for (const auto& match : response.matches()) names.push_back(match.helper());
    return names;
  }

  TestServer server_;
};

TEST_F(MatchApi, AMemberImportedIsAMatchAnsweredWithReasonsThatAddUp) {
  const auto imported =
      server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"profession:Registered Nurse", "hobby:choir"}),
                      HelperRow("tom", {"hobby:choir"})});
  EXPECT_EQ(imported.imported(), 3);
  pb::MatchRequest request =
      Ask(Acting(pb::SEEKER, "amina"), NeedOf("amina", {"Profession: registered-nurse", "hobby:choir"}));
  request.set_min_revision(imported.revision());
  const auto response = Match(request);
  ASSERT_EQ(Helpers(response), (std::vector<std::string>{"pools/p/members/ingrid", "pools/p/members/tom"}));
  for (const auto& match : response.matches()) {
    std::uint32_t sum = 0;
    ASSERT_EQ(match.reasons_size(), 7);
    for (const auto& reason : match.reasons()) sum += reason.contribution();
    EXPECT_EQ(sum, match.score());
    EXPECT_EQ(match.path().reach(), pb::CIRCLE);  // few have it: a rare interest
  }
  EXPECT_EQ(response.matches(0).shared_interests(0).interest(), "Profession: registered-nurse");  // as typed
  EXPECT_EQ(response.matches(0).profession(), "profession:registered-nurse");
}

TEST_F(MatchApi, SecondDegreeIsMaskedUntilConsentAndNamesOnlyTheIntroducer) {
  server_.Import({SeekerRow("amina"), SeekerRow("joost"), HelperRow("ingrid", {"skill:triage"}, pb::SECOND_DEGREE),
                  TieRow("amina", "joost", 0.9), TieRow("joost", "ingrid", 0.8)});
  const auto need = NeedOf("amina", {"skill:triage"});
  const auto seen = Match(Ask(Acting(pb::SEEKER, "amina"), need));
  ASSERT_EQ(seen.matches_size(), 1);
  EXPECT_EQ(seen.matches(0).helper(), "");
  EXPECT_FALSE(seen.matches(0).candidate().empty());
  EXPECT_EQ(seen.matches(0).path().introducer(), "pools/p/members/joost");
  EXPECT_EQ(seen.matches(0).path().tie_strengths_size(), 1);
  EXPECT_TRUE(seen.matches(0).evidence().bucketed());
  EXPECT_FALSE(seen.matches(0).has_load());
  EXPECT_EQ(seen.ShortDebugString().find("ingrid"), std::string::npos);  // nowhere in the answer

  const auto operated = Match(Ask(Operator(), need));
  ASSERT_EQ(operated.matches_size(), 1);
  EXPECT_EQ(operated.matches(0).helper(), "pools/p/members/ingrid");

  // The token explains; the name does not, for somebody who may not know it.
  pb::ExplainRequest explain;
  *explain.mutable_actor() = Acting(pb::SEEKER, "amina");
  explain.set_parent("pools/p");
  *explain.mutable_inline_need() = need;
  explain.set_candidate(seen.matches(0).candidate());
  pb::ExplainResponse explained;
  ASSERT_TRUE(server_.matches().Explain(server_.Context().get(), explain, &explained).ok());
  EXPECT_EQ(explained.match().score(), seen.matches(0).score());
  EXPECT_EQ(explained.match().helper(), "");
  explain.set_helper("pools/p/members/ingrid");
  EXPECT_EQ(ReasonOf(server_.matches().Explain(server_.Context().get(), explain, &explained)), "MEMBER_NOT_FOUND");
  explain.set_candidate("forged");
  EXPECT_THAT(ViolationsOf(server_.matches().Explain(server_.Context().get(), explain, &explained)),
              Contains(HasSubstr("candidate:")));
}

TEST_F(MatchApi, ABlockReadsNotAvailableToAllButOperators) {
  pb::Row block;
  block.mutable_block()->set_blocker("ingrid");
  block.mutable_block()->set_blocked("amina");
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:triage"}), block});
  const auto need = NeedOf("amina", {"skill:triage"});
  const auto seen = Match(Ask(Acting(pb::SEEKER, "amina"), need));
  ASSERT_EQ(seen.removed_size(), 1);
  EXPECT_EQ(seen.removed(0).rule(), pb::RULE_NOT_AVAILABLE);
  EXPECT_TRUE(seen.removed(0).below_five());
  EXPECT_EQ(seen.removed(0).count(), 0);
  EXPECT_TRUE(seen.candidates_below_five());
  const auto operated = Match(Ask(Operator(), need));
  EXPECT_EQ(operated.removed(0).rule(), pb::RULE_BLOCK);
  EXPECT_EQ(operated.removed(0).count(), 1);
}

TEST_F(MatchApi, StoredNeedsAreMatchedByNameAndClosedOnesRefused) {
  server_.Import({SeekerRow("amina"), SeekerRow("other"), HelperRow("ingrid", {"skill:triage"})});
  pb::CreateNeedRequest create;
  *create.mutable_actor() = Acting(pb::SEEKER, "amina");
  create.set_parent("pools/p");
  *create.mutable_need() = NeedOf("amina", {"skill:triage"});
  create.set_need_id("n1");
  create.set_request_id(FreshId());
  pb::WriteNeedResponse created;
  ASSERT_TRUE(server_.needs().CreateNeed(server_.Context().get(), create, &created).ok());
  pb::MatchRequest request;
  *request.mutable_actor() = Acting(pb::SEEKER, "amina");
  request.set_parent("pools/p");
  request.set_need("pools/p/needs/n1");
  request.set_min_revision(created.revision());
  EXPECT_EQ(Match(request).matches_size(), 1);
  *request.mutable_actor() = Acting(pb::SEEKER, "other");
  EXPECT_EQ(ReasonOf(Error(request)), "NEED_NOT_FOUND");  // another's need
  pb::CloseNeedRequest close;
  *close.mutable_actor() = Acting(pb::SEEKER, "amina");
  close.set_name("pools/p/needs/n1");
  close.set_reason(pb::FOUND_WORK);
  pb::WriteNeedResponse closed;
  ASSERT_TRUE(server_.needs().CloseNeed(server_.Context().get(), close, &closed).ok());
  *request.mutable_actor() = Acting(pb::SEEKER, "amina");
  EXPECT_EQ(ReasonOf(Error(request)), "NEED_IS_CLOSED");
}

TEST_F(MatchApi, BadRequestsNameEveryField) {
  server_.Import({SeekerRow("amina")});
  pb::Need need = NeedOf("amina", {"nofacet", "skill:x"});
  need.mutable_interests(1)->set_strength(7);
  need.set_urgency(static_cast<pb::Urgency>(99));
  need.add_help_kinds(static_cast<pb::HelpKind>(77));
  pb::MatchRequest request = Ask(Operator(), need);
  request.set_top_k(101);
  const auto status = Error(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(ViolationsOf(status),
              ::testing::UnorderedElementsAre(
                  HasSubstr("inline_need.urgency: 99 is not a value of Urgency"),
                  HasSubstr("inline_need.help_kinds[1]: 77"), HasSubstr("inline_need.interests[0]: \"nofacet\" is not"),
                  HasSubstr("inline_need.interests[1].strength: 7"), HasSubstr("top_k: 101")));
  need.set_urgency(pb::NORMAL);
  need.mutable_help_kinds()->RemoveLast();
  EXPECT_THAT(ViolationsOf(Error(Ask(Operator(), need))),
              ::testing::UnorderedElementsAre(HasSubstr("inline_need.interests[0]: \"nofacet\" is not `facet:name`"),
                                              HasSubstr("inline_need.interests[1].strength: 7 is out of range")));
  request.clear_subject();
  request.set_top_k(1);
  EXPECT_THAT(ViolationsOf(Error(request)), ElementsAre(HasSubstr("subject: is missing")));
}

TEST_F(MatchApi, UnknownPoolsMembersAndNamesAreToldApart) {
  server_.Import({SeekerRow("amina")});
  auto request = Ask(Operator(), NeedOf("nobody", {"skill:x"}));
  EXPECT_EQ(ReasonOf(Error(request)), "MEMBER_NOT_FOUND");
  request.set_parent("pools/q");
  request.mutable_inline_need()->set_seeker("amina");
  EXPECT_EQ(ReasonOf(Error(request)), "POOL_NOT_FOUND");
  request.set_parent("p");
  EXPECT_THAT(ViolationsOf(Error(request)),
              ElementsAre(HasSubstr("parent: \"p\" is not the name of a pool: write pools/{pool}")));
}

TEST_F(MatchApi, RevisionsAreWaitedForAndOtherHistoriesRefused) {
  server_.Import({SeekerRow("amina")});
  auto request = Ask(Operator(), NeedOf("amina", {"skill:x"}));
  request.set_min_revision("not a token");
  EXPECT_EQ(ReasonOf(Error(request)), "REVISION_OF_ANOTHER_HISTORY");
  TestServer other;
  request.set_min_revision(other.CreatePool());
  EXPECT_EQ(ReasonOf(Error(request)), "REVISION_OF_ANOTHER_HISTORY");
}

TEST_F(MatchApi, StreamsAnswerInOrderAndGoOnAfterABadRequest) {
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:triage"})});
  auto stub = server_.matches();
  const auto context = server_.Context();
  const auto stream = stub.MatchStream(context.get());
  for (int i = 0; i < 20; ++i) {
    auto request = Ask(Operator(), NeedOf(i % 5 == 3 ? "nobody" : "amina", {"skill:triage"}));
    if (i % 5 == 4) request.set_parent("wrong");
    ASSERT_TRUE(stream->Write(request));
  }
  stream->WritesDone();
  pb::MatchStreamResponse response;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.request(), i);
    EXPECT_EQ(response.has_error(), i % 5 >= 3);
    if (i % 5 == 3) EXPECT_EQ(response.error().reason(), "MEMBER_NOT_FOUND");
    if (i % 5 < 3) EXPECT_EQ(response.response().matches_size(), 1);
  }
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(MatchApi, SuggestsInterests) {
  server_.Import({HelperRow("a", {"profession:Data Engineer", "skill:sql"}),
                  HelperRow("b", {"profession:data engineer"}), HelperRow("c", {"profession:dancer"})});
  pb::SuggestInterestsRequest request;
  *request.mutable_actor() = Acting(pb::SEEKER, "a");
  request.set_parent("pools/p");
  request.set_prefix("Profession: da");
  pb::SuggestInterestsResponse response;
  ASSERT_TRUE(server_.matches().SuggestInterests(server_.Context().get(), request, &response).ok());
  ASSERT_EQ(response.suggestions_size(), 2);
  EXPECT_EQ(response.suggestions(1).interest(), "profession:data-engineer");
  EXPECT_TRUE(response.suggestions(1).below_five());
  *request.mutable_actor() = Operator();
  ASSERT_TRUE(server_.matches().SuggestInterests(server_.Context().get(), request, &response).ok());
  ASSERT_EQ(response.suggestions_size(), 2);
  EXPECT_EQ(response.suggestions(0).interest(), "profession:data-engineer");
  EXPECT_EQ(response.suggestions(0).helpers(), 2);
  request.set_prefix(std::string("a\xff"));
  EXPECT_FALSE(server_.matches().SuggestInterests(server_.Context().get(), request, &response).ok());
}

TEST_F(MatchApi, MembersWhoComeOneByOneAreCountedToo) {
  for (int i = 0; i < 4; ++i) {
    pb::CreateMemberRequest create;
    *create.mutable_actor() = Operator();
    create.set_parent("pools/p");
    *create.mutable_member() = HelperRow("h" + std::to_string(i), {"skill:sql"}).member();
    create.set_request_id(FreshId());
    pb::WriteMemberResponse created;
    ASSERT_TRUE(server_.members().CreateMember(server_.Context().get(), create, &created).ok());
  }
  pb::SuggestInterestsRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  pb::SuggestInterestsResponse response;
  for (int i = 0; i < 500 && response.suggestions_size() == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ASSERT_TRUE(server_.matches().SuggestInterests(server_.Context().get(), request, &response).ok());
  }
  ASSERT_EQ(response.suggestions_size(), 1);
  EXPECT_GE(response.statistics_generation(), 1);
}

TEST_F(MatchApi, PolicyChangesTakeEffectAtOnce) {
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  const auto need = NeedOf("amina", {"skill:structured query language"});
  EXPECT_EQ(Match(Ask(Operator(), need)).matches_size(), 0);
  pb::UpdatePoolRequest update;
  *update.mutable_actor() = Operator();
  update.mutable_pool()->set_name("pools/p");
  auto* synonym = update.mutable_pool()->mutable_policy()->add_synonyms();
  synonym->set_alias("skill:Structured Query Language");
  synonym->set_canonical("skill:sql");
  update.add_update_mask("policy");
  pb::WritePoolResponse updated;
  ASSERT_TRUE(server_.pools().UpdatePool(server_.Context().get(), update, &updated).ok());
  EXPECT_EQ(updated.pool().policy_version(), 2);
  const auto response = Match(Ask(Operator(), need));
  ASSERT_EQ(response.matches_size(), 1);
  EXPECT_EQ(response.policy_version(), 2);
}

TEST_F(MatchApi, AnAnswerIsTheSameAfterARestart) {
  std::vector<pb::Row> rows = {SeekerRow("amina")};
  for (int i = 0; i < 50; ++i)
    rows.push_back(
        HelperRow("h" + std::to_string(i), {"skill:s" + std::to_string(i % 7), "hobby:h" + std::to_string(i % 3)}));
  rows.push_back(TieRow("amina", "h3"));
  server_.Import(rows);
  const auto request = Ask(Operator(), NeedOf("amina", {"skill:s1", "hobby:h2"}));
  const auto before = Match(request);
  server_.Restart();
  const auto after = Match(request);
  if (before.epoch() == after.epoch()) EXPECT_EQ(before.SerializeAsString(), after.SerializeAsString());
  EXPECT_THAT(Helpers(before), ::testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace warmline::testing
