// Every reason for which an ask is refused: by the review beforehand, and by the request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/introductions_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(Introductions, OpenAsksAndCoolDownsBarTheMatch) {
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  SetRules([](auto& rules) { rules.mutable_cool_down()->set_seconds(3); });
  const pb::Introduction made = MustSend(Ask("amina", {"ingrid"}));
  const auto removed = [&](pb::Rule rule) {
    const pb::MatchResponse response = Match("amina");
    if (response.matches_size() != 0) return false;
    for (const auto& count : response.removed()) {
      if (count.rule() == rule && count.below_five()) return true;
    }
    return false;
  };
  EXPECT_TRUE(removed(pb::RULE_OPEN_ASK));
  ExpectRefused(Ask("amina", {"ingrid"}, MessageNumber(1)), "ASK_IS_OPEN", grpc::StatusCode::ALREADY_EXISTS);
  ASSERT_TRUE(Decline(pb::HELPER, "ingrid", made.name(), "no time").ok());
  EXPECT_TRUE(removed(pb::RULE_COOL_DOWN));
  EXPECT_EQ(Get(Acting(pb::SEEKER, "amina"), made.name()).decline_note(), "");
  EXPECT_EQ(Get(Acting(pb::HELPER, "ingrid"), made.name()).decline_note(), "no time");
  // The timer ends it, and the two may be matched and ask again.
  EXPECT_TRUE(Eventually([&] { return Match("amina").matches_size() == 1; }));
  EXPECT_THAT(ReviewOf(Ask("amina", {"ingrid"}, MessageNumber(2))), ElementsAre());
}

TEST_F(Introductions, CoolDownRefusesWithTheTimeToWait) {
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  const pb::Introduction made = MustSend(Ask("amina", {"ingrid"}));
  ASSERT_TRUE(Decline(pb::HELPER, "ingrid", made.name()).ok());
  const pb::RequestRequest again = Ask("amina", {"ingrid"}, MessageNumber(1));
  ExpectRefused(again, "COOLING_DOWN", grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(HasRetryInfo(Send(again)));
}

TEST_F(Introductions, AHelperHoldsNoMoreThanTheyWant) {
  pb::Row ingrid = HelperRow("ingrid", {"skill:sql"});
  ingrid.mutable_member()->mutable_offer()->mutable_capacity()->set_open_asks(1);
  ingrid.mutable_member()->mutable_offer()->mutable_capacity()->set_asks_per_week(2);
  server_.Import({SeekerRow("amina"), SeekerRow("bo"), SeekerRow("cy"), ingrid});
  const pb::Introduction first = MustSend(Ask("amina", {"ingrid"}, MessageNumber(1)));
  ExpectRefused(Ask("bo", {"ingrid"}, MessageNumber(2)), "HELPER_IS_FULL", grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(Cancel("amina", first.name()).ok());
  const pb::Introduction second = MustSend(Ask("bo", {"ingrid"}, MessageNumber(3)));
  ASSERT_TRUE(Cancel("bo", second.name()).ok());
  pb::ReviewResponse review;
  const pb::RequestRequest third = Ask("cy", {"ingrid"}, MessageNumber(4));
  EXPECT_THAT(ReviewOf(third, &review), ElementsAre("HELPER_IS_FULL"));
  EXPECT_EQ(review.refusals(0).limit(), 2);
  EXPECT_EQ(review.refusals(0).used(), 2);
  EXPECT_TRUE(review.refusals(0).has_free_time());
  EXPECT_TRUE(HasRetryInfo(Send(third)));
}

TEST_F(Introductions, BudgetsOfTheSeekerAndOfTheIntroducer) {
  pb::Row bo = SeekerRow("bo");
  bo.mutable_member()->set_introduces(true);
  std::vector<pb::Row> rows = {SeekerRow("amina"), SeekerRow("dora"), bo, TieRow("amina", "bo"), TieRow("bo", "dora")};
  for (int i = 0; i < 4; ++i) {
    const std::string id = "h" + std::to_string(i);
    rows.push_back(HelperRow(id, {"skill:sql"}, pb::SECOND_DEGREE));
    rows.push_back(TieRow("bo", id));
  }
  server_.Import(rows);
  SetRules(
      [](auto& rules) {
        rules.set_seeker_open_asks(1);
        rules.set_seeker_asks_per_week(2);
        rules.set_introducer_asks_per_week(2);
      },
      pb::NAMED);
  const pb::Introduction first = MustSend(Ask("amina", {"h0"}, MessageNumber(0)));
  ExpectRefused(Ask("amina", {"h1"}, MessageNumber(1)), "SEEKER_BUDGET_SPENT", grpc::StatusCode::RESOURCE_EXHAUSTED);
  ASSERT_TRUE(Cancel("amina", first.name()).ok());
  const pb::Introduction second = MustSend(Ask("amina", {"h1"}, MessageNumber(2)));
  ASSERT_TRUE(Cancel("amina", second.name()).ok());
  pb::ReviewResponse review;
  EXPECT_THAT(ReviewOf(Ask("amina", {"h2"}, MessageNumber(3)), &review),
              ElementsAre("SEEKER_BUDGET_SPENT", "INTRODUCER_BUDGET_SPENT"));
  EXPECT_EQ(review.refusals(0).target(), -1);
  EXPECT_TRUE(review.refusals(0).has_free_time());
  ExpectRefused(Ask("dora", {"h2"}, MessageNumber(4)), "INTRODUCER_BUDGET_SPENT", grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(Introductions, AnIntroducerMustBeAContactOfBothWhoIntroduces) {
  ImportChain();
  SetRules([](auto&) {}, pb::NAMED);
  pb::RequestRequest ask = Ask("amina", {"carla"});
  ask.mutable_targets(0)->set_introducer(Name("carla"));
  ExpectRefused(ask, "INTRODUCER_NEEDED", grpc::StatusCode::FAILED_PRECONDITION);
  ask.mutable_targets(0)->set_introducer(Name("bo"));
  EXPECT_THAT(ReviewOf(ask), ElementsAre());
  ask.mutable_targets(0)->clear_introducer();
  ask.mutable_targets(0)->set_direct(true);  // carla's door is not open
  EXPECT_THAT(ViolationsOf(Send(ask)), ElementsAre(HasSubstr("targets[0].direct")));
}

TEST_F(Introductions, MessagesAreTheSeekersOwnAndNotSentTwice) {
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"}), HelperRow("joost", {"skill:sql"})});
  ExpectRefused(Ask("amina", {"ingrid"}, "help me please"), "INVALID_FIELDS", grpc::StatusCode::INVALID_ARGUMENT);
  const std::string long_text(2'001, 'x');
  EXPECT_EQ(ReasonOf(Send(Ask("amina", {"ingrid"}, long_text))), "INVALID_FIELDS");
  MustSend(Ask("amina", {"ingrid"}));
  ExpectRefused(Ask("amina", {"joost"}, std::string("Dear Joost, ") + kMessage), "MESSAGE_REPEATED",
                grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(ReviewOf(Ask("amina", {"joost"}, MessageNumber(1))), ElementsAre());
}

TEST_F(Introductions, WhoIsNoMatchIsNotAsked) {
  pb::Row other = HelperRow("otto", {"skill:welding"});
  pb::Row trainer = HelperRow("tilda", {"skill:sql"});
  trainer.mutable_member()->mutable_offer()->clear_help_kinds();
  trainer.mutable_member()->mutable_offer()->add_help_kinds(pb::TRAINING);
  server_.Import({SeekerRow("amina"), other, trainer});
  // Acting as an operator for the seeker: who is no candidate is nobody whom a seeker may name.
  pb::RequestRequest ask = Ask("amina", {"otto"});
  *ask.mutable_actor() = Operator();
  ExpectRefused(ask, "NOT_MATCHED", grpc::StatusCode::FAILED_PRECONDITION);
  ask.mutable_targets(0)->set_helper(Name("tilda"));
  ExpectRefused(ask, "NOT_MATCHED", grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(Send(ask).error_message(), HasSubstr("RULE_HELP_KIND"));
  EXPECT_EQ(ReasonOf(Send(Ask("amina", {"nobody"}))), "MEMBER_NOT_FOUND");
  EXPECT_THAT(ViolationsOf(Send(Ask("amina", {"tilda", "tilda"}))), ElementsAre(HasSubstr("targets[1]")));
  EXPECT_THAT(ViolationsOf(Send(Ask("amina", {}))), ElementsAre(HasSubstr("targets: has 0 entries")));
}

TEST_F(Introductions, BlocksConflictsAndPausesAllReadAlike) {
  pb::Row paused = HelperRow("paula", {"skill:sql"});
  paused.mutable_member()->mutable_offer()->set_paused(true);
  pb::Row family = HelperRow("fred", {"skill:sql"});
  family.mutable_member()->add_conflict_keys("household-7");
  pb::Row amina = SeekerRow("amina");
  amina.mutable_member()->add_conflict_keys("household-7");
  pb::Row block;
  block.mutable_block()->set_blocker(Name("bert"));
  block.mutable_block()->set_blocked(Name("amina"));
  server_.Import({amina, paused, family, HelperRow("bert", {"skill:sql"}), block});
  std::set<std::string> texts;
  for (const char* helper : {"paula", "fred", "bert"}) {
    const pb::RequestRequest ask = Ask("amina", {helper});
    ExpectRefused(ask, "HELPER_NOT_AVAILABLE", grpc::StatusCode::FAILED_PRECONDITION);
    texts.insert(Send(ask).error_message());
  }
  EXPECT_EQ(texts.size(), 1U);
}

}  // namespace
}  // namespace warmline::testing
