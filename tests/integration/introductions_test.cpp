// IntroductionService over gRPC: the story from match to job, what each party sees, and what ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "support/introductions_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::ElementsAre;

TEST_F(Introductions, FromAMatchThroughAnIntroducerToAJob) {
  ImportChain();
  const pb::MatchResponse before = Match("amina");
  ASSERT_EQ(before.matches_size(), 1);
  EXPECT_EQ(before.matches(0).helper(), "");  // masked until consent
  EXPECT_EQ(before.matches(0).path().introducer(), Name("bo"));

  pb::RequestRequest ask = Ask("amina", {});
  ask.add_targets()->set_candidate(before.matches(0).candidate());
  EXPECT_THAT(ReviewOf(ask), ElementsAre());
  const pb::Introduction made = MustSend(ask);
  EXPECT_EQ(made.state(), pb::AWAITING_INTRODUCER);
  EXPECT_EQ(made.helper(), "");
  EXPECT_EQ(made.introducer(), Name("bo"));
  EXPECT_EQ(made.score(), before.matches(0).score());
  EXPECT_EQ(made.reasons_size(), before.matches(0).reasons_size());
  EXPECT_THAT(made.legal_moves(), ElementsAre("cancel"));
  EXPECT_EQ(Member("carla").load().open_asks(), 1);

  // Before the introducer consents, the helper knows nothing of it.
  EXPECT_TRUE(List(Acting(pb::HELPER, "carla"), "carla").empty());
  grpc::Status status;
  Get(Acting(pb::HELPER, "carla"), made.name(), &status);
  EXPECT_EQ(ReasonOf(status), "INTRODUCTION_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Accept("carla", made.name())), "INTRODUCTION_NOT_FOUND");
  const auto inbox = List(Acting(pb::INTRODUCER, "bo"), "bo");
  ASSERT_EQ(inbox.size(), 1U);
  EXPECT_EQ(inbox[0].message(), kMessage);
  EXPECT_EQ(inbox[0].helper(), Name("carla"));
  EXPECT_EQ(inbox[0].reasons_size(), 0);
  EXPECT_THAT(inbox[0].legal_moves(), ElementsAre("forward", "decline"));
  ASSERT_TRUE(Forward("bo", made.name(), "A nurse of ours, and thorough.").ok());

  const pb::Introduction to_helper = Get(Acting(pb::HELPER, "carla"), made.name());
  EXPECT_EQ(to_helper.state(), pb::AWAITING_HELPER);
  EXPECT_EQ(to_helper.seeker(), Name("amina"));
  EXPECT_EQ(to_helper.introducer_note(), "A nurse of ours, and thorough.");
  EXPECT_EQ(to_helper.shared_interests(0).interest(), "skill:sql");
  EXPECT_THAT(to_helper.legal_moves(), ElementsAre("accept", "decline", "ask-more"));
  EXPECT_EQ(Get(Acting(pb::SEEKER, "amina"), made.name()).introducer_note(), "");

  pb::AskMoreRequest more;
  *more.mutable_actor() = Acting(pb::HELPER, "carla");
  more.set_name(made.name());
  more.set_question("Which databases have you used?");
  pb::WriteIntroductionResponse written;
  ASSERT_TRUE(asks().AskMore(server_.Context().get(), more, &written).ok());
  EXPECT_EQ(ReasonOf(asks().AskMore(server_.Context().get(), more, &written)), "MOVE_NOT_ALLOWED");
  pb::AnswerMoreRequest answer;
  *answer.mutable_actor() = Acting(pb::SEEKER, "amina");
  answer.set_name(made.name());
  answer.set_answer("PostgreSQL, for a year.");
  ASSERT_TRUE(asks().Answer(server_.Context().get(), answer, &written).ok());
  EXPECT_EQ(written.introduction().state(), pb::AWAITING_HELPER);
  EXPECT_EQ(written.introduction().exchanges(0).answer(), "PostgreSQL, for a year.");
  EXPECT_EQ(Get(Acting(pb::INTRODUCER, "bo"), made.name()).exchanges_size(), 0);
  ASSERT_TRUE(Accept("carla", made.name()).ok());
  EXPECT_EQ(Get(Acting(pb::SEEKER, "amina"), made.name()).helper(), Name("carla"));  // revealed by consent

  ASSERT_TRUE(Report(pb::SEEKER, "amina", made.name(), pb::HIRED).ok());
  EXPECT_EQ(Get(Acting(pb::SEEKER, "amina"), made.name()).state(), pb::CONCLUDED);
  const pb::Member carla = Member("carla");
  EXPECT_EQ(carla.load().open_asks(), 0);
  EXPECT_EQ(carla.load().asks_this_week(), 1);
  ASSERT_EQ(carla.evidence_size(), 1);
  EXPECT_EQ(carla.evidence(0).outcome(), pb::HIRED);
  EXPECT_TRUE(carla.evidence(0).has_response_time());
  EXPECT_EQ(Member("bo").thanks(), 1);
  // The next match cites it.
  const pb::MatchResponse after = Match("amina");
  ASSERT_EQ(after.matches_size(), 1);
  EXPECT_EQ(after.matches(0).evidence().helped(), 1U);
  EXPECT_GT(after.matches(0).score(), before.matches(0).score());
}

TEST_F(Introductions, ARetryGetsTheFirstReplyAndAsksOnce) {
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"})});
  const pb::RequestRequest ask = Ask("amina", {"ingrid"});
  const pb::Introduction first = MustSend(ask);
  EXPECT_EQ(first.state(), pb::AWAITING_HELPER);  // an open door is asked directly
  EXPECT_EQ(MustSend(ask).name(), first.name());
  EXPECT_EQ(List(Acting(pb::SEEKER, "amina"), "amina").size(), 1U);
  pb::RequestRequest other = ask;
  other.set_message(MessageNumber(1));
  EXPECT_EQ(ReasonOf(Send(other)), "REQUEST_ID_REUSED");
  EXPECT_EQ(ReasonOf(Accept("ingrid", first.name(), "r1")), "ETAG_MISMATCH");
  EXPECT_TRUE(Accept("ingrid", first.name(), first.etag()).ok());
}

TEST_F(Introductions, OneAskThenTheNext) {
  server_.Import({SeekerRow("amina"), HelperRow("h0", {"skill:sql"}), HelperRow("h1", {"skill:sql"}),
                  HelperRow("h2", {"skill:sql"}), HelperRow("h3", {"skill:sql"})});
  MustSend(Ask("amina", {"h0", "h1", "h2", "h3"}));
  const auto states = [&] {
    std::vector<pb::IntroductionState> all;
    auto list = List(Acting(pb::SEEKER, "amina"), "amina");
    std::sort(list.begin(), list.end(), [](const auto& x, const auto& y) { return x.position() < y.position(); });
    for (const auto& i : list) all.push_back(i.state());
    return all;
  };
  const auto name_of = [&](const std::string& helper) {
    for (const auto& i : List(Acting(pb::SEEKER, "amina"), "amina")) {
      if (i.helper() == Name(helper)) return i.name();
    }
    return std::string();
  };
  EXPECT_THAT(states(), ElementsAre(pb::AWAITING_HELPER, pb::DRAFTED, pb::DRAFTED, pb::DRAFTED));
  EXPECT_TRUE(List(Acting(pb::HELPER, "h1"), "h1").empty());
  ASSERT_TRUE(Decline(pb::HELPER, "h0", name_of("h0")).ok());
  EXPECT_THAT(states(), ElementsAre(pb::DECLINED, pb::AWAITING_HELPER, pb::DRAFTED, pb::DRAFTED));
  // h2 pauses before its turn: it is passed over.
  pb::UpdateMemberRequest pause;
  *pause.mutable_actor() = Acting(pb::HELPER, "h2");
  *pause.mutable_member() = Member("h2");
  pause.mutable_member()->mutable_offer()->set_paused(true);
  pause.add_update_mask("offer");
  pb::WriteMemberResponse member;
  ASSERT_TRUE(server_.members().UpdateMember(server_.Context().get(), pause, &member).ok());
  ASSERT_TRUE(Decline(pb::HELPER, "h1", name_of("h1")).ok());
  EXPECT_THAT(states(), ElementsAre(pb::DECLINED, pb::DECLINED, pb::WITHDRAWN, pb::AWAITING_HELPER));
  // Taking it back takes back all of it.
  ASSERT_TRUE(Cancel("amina", name_of("h3")).ok());
  EXPECT_THAT(states(), ElementsAre(pb::DECLINED, pb::DECLINED, pb::WITHDRAWN, pb::CANCELLED));
}

TEST_F(Introductions, PausingBlockingClosingANeedAndLeavingEndAsksKindly) {
  server_.Import({SeekerRow("amina"), HelperRow("h0", {"skill:sql"}), HelperRow("h1", {"skill:sql"}),
                  HelperRow("h2", {"skill:sql"}), HelperRow("h3", {"skill:sql"})});
  const pb::Introduction to_h0 = MustSend(Ask("amina", {"h0"}, MessageNumber(0)));
  const pb::Introduction to_h1 = MustSend(Ask("amina", {"h1"}, MessageNumber(1)));
  pb::UpdateMemberRequest pause;
  *pause.mutable_actor() = Acting(pb::HELPER, "h0");
  *pause.mutable_member() = Member("h0");
  pause.mutable_member()->clear_etag();
  pause.mutable_member()->mutable_offer()->set_paused(true);
  pause.add_update_mask("offer");
  pb::WriteMemberResponse member;
  ASSERT_TRUE(server_.members().UpdateMember(server_.Context().get(), pause, &member).ok());
  EXPECT_EQ(member.member().load().open_asks(), 0);
  EXPECT_EQ(Get(Operator(), to_h0.name()).state(), pb::WITHDRAWN);
  pb::CreateBlockRequest block;
  *block.mutable_actor() = Acting(pb::HELPER, "h1");
  block.set_parent("pools/p");
  block.mutable_block()->set_blocker(Name("h1"));
  block.mutable_block()->set_blocked(Name("amina"));
  pb::WriteBlockResponse blocked;
  ASSERT_TRUE(server_.members().CreateBlock(server_.Context().get(), block, &blocked).ok());
  EXPECT_EQ(Get(Operator(), to_h1.name()).state(), pb::BLOCKED);
  EXPECT_EQ(Member("h1").load().open_asks(), 0);

  pb::CreateNeedRequest need;
  *need.mutable_actor() = Acting(pb::SEEKER, "amina");
  need.set_parent("pools/p");
  *need.mutable_need() = NeedOf("amina", {"skill:sql"});
  need.set_need_id("first-job");
  need.set_request_id(FreshId());
  pb::WriteNeedResponse created;
  ASSERT_TRUE(server_.needs().CreateNeed(server_.Context().get(), need, &created).ok());
  pb::RequestRequest ask = Ask("amina", {"h2", "h3"}, MessageNumber(2));
  ask.set_need("pools/p/needs/first-job");
  const pb::Introduction to_h2 = MustSend(ask);
  pb::CloseNeedRequest close;
  *close.mutable_actor() = Acting(pb::SEEKER, "amina");
  close.set_name("pools/p/needs/first-job");
  close.set_reason(pb::FOUND_WORK);
  ASSERT_TRUE(server_.needs().CloseNeed(server_.Context().get(), close, &created).ok());
  EXPECT_EQ(Get(Operator(), to_h2.name()).state(), pb::WITHDRAWN);
  EXPECT_EQ(Member("h2").load().open_asks(), 0);
  EXPECT_TRUE(List(Operator(), "", true).empty());

  const pb::Introduction to_h3 = MustSend(Ask("amina", {"h3"}, MessageNumber(3)));
  pb::EraseMemberRequest erase;
  *erase.mutable_actor() = Operator();
  erase.set_name(Name("amina"));
  pb::Erasure erasure;
  ASSERT_TRUE(server_.members().EraseMember(server_.Context().get(), erase, &erasure).ok());
  EXPECT_EQ(Member("h3").load().open_asks(), 0);
  grpc::Status status;
  Get(Operator(), to_h3.name(), &status);
  EXPECT_EQ(ReasonOf(status), "INTRODUCTION_NOT_FOUND");
  EXPECT_TRUE(List(Operator(), "").empty());
}

TEST_F(Introductions, WhoHelpsOthersComesFirstInTheInbox) {
  pb::Row giver = HelperRow("giver", {"skill:welding"});
  giver.mutable_member()->add_evidence()->set_outcome(pb::HELPED);
  giver.mutable_member()->mutable_evidence(0)->mutable_time()->set_seconds(1'700'000'000);
  server_.Import({SeekerRow("amina"), giver, HelperRow("ingrid", {"skill:sql"})});
  MustSend(Ask("amina", {"ingrid"}, MessageNumber(1)));
  MustSend(Ask("giver", {"ingrid"}, MessageNumber(2)));
  const auto seekers = [&](const pb::Actor& actor) {
    std::vector<std::string> names;
    for (const auto& i : List(actor, "ingrid")) names.push_back(i.seeker());
    return names;
  };
  EXPECT_THAT(seekers(Acting(pb::HELPER, "ingrid")), ElementsAre(Name("giver"), Name("amina")));
  EXPECT_THAT(seekers(Operator()), ElementsAre(Name("amina"), Name("giver")));  // as they came
}

TEST_F(Introductions, SilenceEndsInAPauseThatOneCallUndoes) {
  std::vector<pb::Row> rows = {HelperRow("ingrid", {"skill:sql"})};
  rows[0].mutable_member()->mutable_offer()->mutable_capacity()->set_open_asks(3);
  rows[0].mutable_member()->mutable_offer()->mutable_capacity()->set_asks_per_week(3);
  for (int i = 0; i < 3; ++i) rows.push_back(SeekerRow("s" + std::to_string(i)));
  server_.Import(rows);
  SetRules([](auto& rules) {
    rules.mutable_expiry_normal()->set_seconds(1);
    rules.set_silent_asks_to_pause(3);
  });
  for (int i = 0; i < 3; ++i) MustSend(Ask("s" + std::to_string(i), {"ingrid"}, MessageNumber(i)));
  EXPECT_TRUE(Eventually([&] { return Member("ingrid").offer().paused(); }));
  const pb::Member silent = Member("ingrid");
  EXPECT_EQ(silent.silent_asks(), 3);
  EXPECT_EQ(silent.load().open_asks(), 0);
  EXPECT_EQ(silent.evidence_size(), 3);
  EXPECT_EQ(silent.evidence(0).outcome(), pb::NO_REPLY);
  EXPECT_EQ(List(Operator(), "").at(0).state(), pb::EXPIRED);
  pb::ConfirmOfferRequest confirm;
  *confirm.mutable_actor() = Acting(pb::HELPER, "ingrid");
  confirm.set_name(Name("ingrid"));
  pb::WriteMemberResponse response;
  ASSERT_TRUE(server_.members().ConfirmOffer(server_.Context().get(), confirm, &response).ok());
  EXPECT_FALSE(response.member().offer().paused());
  EXPECT_EQ(response.member().silent_asks(), 0);
}

TEST_F(Introductions, OnlyWhoWasHelpedMakesEvidenceAndRingsMakeNone) {
  std::vector<pb::Row> rows;
  for (const char* id : {"ana", "ben", "cat"}) rows.push_back(HelperRow(id, {"skill:sql"}));
  server_.Import(rows);
  int number = 0;
  const auto helped = [&](const std::string& seeker, const std::string& helper) {
    const pb::Introduction made = MustSend(Ask(seeker, {helper}, MessageNumber(++number)));
    EXPECT_TRUE(Accept(helper, made.name()).ok());
    EXPECT_TRUE(Report(pb::HELPER, helper, made.name(), pb::HELPED).ok());
    return made.name();
  };
  const std::string first = helped("ana", "ben");
  EXPECT_EQ(Member("ben").evidence_size(), 0);  // what helpers say of themselves
  pb::Introduction disputed;
  ASSERT_TRUE(Report(pb::SEEKER, "ana", first, pb::NOT_HELPFUL, &disputed).ok());
  EXPECT_TRUE(disputed.disputed());
  EXPECT_EQ(Member("ben").evidence(0).outcome(), pb::NOT_HELPFUL);
  ASSERT_TRUE(Report(pb::SEEKER, "ana", first, pb::INTERVIEW).ok());  // changed their mind: it replaces
  ASSERT_EQ(Member("ben").evidence_size(), 1);
  EXPECT_EQ(Member("ben").evidence(0).outcome(), pb::INTERVIEW);
  // The same two again, within the period: once.
  const std::string second = helped("ana", "ben");
  ASSERT_TRUE(Report(pb::SEEKER, "ana", second, pb::HIRED).ok());
  ASSERT_EQ(Member("ben").evidence_size(), 1);
  EXPECT_EQ(Member("ben").evidence(0).outcome(), pb::HIRED);
  // ben thanks cat, who thanks ana: a ring, which counts for nobody.
  ASSERT_TRUE(Report(pb::SEEKER, "ben", helped("ben", "cat"), pb::HELPED).ok());
  EXPECT_EQ(Member("cat").evidence_size(), 1);
  ASSERT_TRUE(Report(pb::SEEKER, "cat", helped("cat", "ana"), pb::HELPED).ok());
  for (const char* id : {"ana", "ben", "cat"}) EXPECT_EQ(Member(id).evidence_size(), 0) << id;
}

TEST_F(Introductions, AbuseIsReportedAndTheMemberSuspended) {
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:sql"}), HelperRow("joost", {"skill:sql"})});
  const pb::Introduction made = MustSend(Ask("amina", {"ingrid"}));
  const pb::Introduction other = MustSend(Ask("amina", {"joost"}, MessageNumber(1)));
  pb::ReportAbuseRequest report;
  *report.mutable_actor() = Acting(pb::HELPER, "ingrid");
  report.set_name(made.name());
  report.set_note("This is an advertisement.");
  pb::WriteIntroductionResponse written;
  ASSERT_TRUE(asks().ReportAbuse(server_.Context().get(), report, &written).ok());
  EXPECT_EQ(written.introduction().reports_size(), 0);
  pb::ListIntroductionsRequest queue;
  *queue.mutable_actor() = Operator();
  queue.set_parent("pools/p");
  queue.set_reported_only(true);
  pb::ListIntroductionsResponse reported;
  ASSERT_TRUE(asks().List(server_.Context().get(), queue, &reported).ok());
  ASSERT_EQ(reported.introductions_size(), 1);
  EXPECT_EQ(reported.introductions(0).reports(0).accused(), Name("amina"));
  *queue.mutable_actor() = Acting(pb::HELPER, "ingrid");
  queue.set_member(Name("ingrid"));
  EXPECT_EQ(ReasonOf(asks().List(server_.Context().get(), queue, &reported)), "AUDIENCE_NOT_ALLOWED");

  pb::ResolveReportRequest resolve;
  *resolve.mutable_actor() = Operator();
  resolve.set_name(made.name());
  resolve.set_member(Name("amina"));
  resolve.set_suspend(true);
  ASSERT_TRUE(asks().ResolveReport(server_.Context().get(), resolve, &written).ok());
  EXPECT_EQ(Get(Operator(), other.name()).state(), pb::WITHDRAWN);
  ExpectRefused(Ask("amina", {"joost"}, MessageNumber(2)), "MEMBER_SUSPENDED", grpc::StatusCode::FAILED_PRECONDITION);
  // A helper who is suspended is matched with nobody.
  resolve.set_member(Name("ingrid"));
  ASSERT_TRUE(asks().ResolveReport(server_.Context().get(), resolve, &written).ok());
  EXPECT_TRUE(List(Operator(), "joost").size() == 1 && List(Operator(), "amina").size() == 2);
  const pb::MatchResponse matched = Match("amina");
  for (const auto& match : matched.matches()) EXPECT_NE(match.helper(), Name("ingrid"));
  resolve.set_member(Name("amina"));
  resolve.set_suspend(false);
  ASSERT_TRUE(asks().ResolveReport(server_.Context().get(), resolve, &written).ok());
  EXPECT_THAT(ReviewOf(Ask("amina", {"joost"}, MessageNumber(3))), ElementsAre());
}

TEST_F(Introductions, AWatchTellsEachPartyWhatIsTheirsAndGoesOnWhereItWas) {
  server_.Import(
      {SeekerRow("amina"), SeekerRow("zoe"), HelperRow("ingrid", {"skill:sql"}), HelperRow("joost", {"skill:sql"})});
  pb::WatchIntroductionsRequest request;
  *request.mutable_actor() = Acting(pb::HELPER, "ingrid");
  request.set_parent("pools/p");
  request.set_member(Name("ingrid"));
  std::string token;
  std::string name;
  {
    const auto context = server_.Context(60'000);
    const auto reader = asks().Watch(context.get(), request);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    MustSend(Ask("zoe", {"joost"}, MessageNumber(1)));  // nothing of ingrid's
    name = MustSend(Ask("amina", {"ingrid"})).name();
    pb::IntroductionEvent event;
    ASSERT_TRUE(reader->Read(&event));
    EXPECT_EQ(event.introduction().name(), name);
    EXPECT_EQ(event.introduction().state(), pb::AWAITING_HELPER);
    token = event.resume_token();
    context->TryCancel();
    while (reader->Read(&event)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  ASSERT_TRUE(Accept("ingrid", name).ok());  // while nobody watches
  MustSend(Ask("zoe", {"ingrid"}, MessageNumber(2)));
  request.set_resume_token(token);
  const auto context = server_.Context(60'000);
  const auto reader = asks().Watch(context.get(), request);
  pb::IntroductionEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.introduction().name(), name);
  EXPECT_EQ(event.introduction().state(), pb::ACCEPTED);
  EXPECT_GT(event.behind(), 0);
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.introduction().seeker(), Name("zoe"));
  // Another's token, and another's inbox.
  pb::WatchIntroductionsRequest wrong = request;
  wrong.set_resume_token("not-a-token");
  const auto wrong_context = server_.Context();
  EXPECT_EQ(ReasonOf(asks().Watch(wrong_context.get(), wrong)->Finish()), "REVISION_OF_ANOTHER_HISTORY");
  wrong = request;
  wrong.set_member(Name("joost"));
  const auto other_context = server_.Context();
  EXPECT_EQ(ReasonOf(asks().Watch(other_context.get(), wrong)->Finish()), "ACTING_MEMBER_NOT_ALLOWED");
  // The end of the server ends it at once, with the reason.
  std::thread end([&] { server_.server().Drain(); });
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(ReasonOf(reader->Finish()), "DRAINING");
  end.join();
}

}  // namespace
}  // namespace warmline::testing
