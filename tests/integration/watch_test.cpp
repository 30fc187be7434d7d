// What a server tells of by itself: better matches, members, and notices.
#include <deque>

#include "support/introductions_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Watches : public Introductions {
 protected:
  pb::WatchMatchesRequest MatchesOf(const std::string& seeker, int top_k, const std::string& token = "") {
    pb::WatchMatchesRequest request;
    *request.mutable_actor() = Acting(pb::SEEKER, seeker);
    request.set_parent("pools/p");
    *request.mutable_inline_need() = NeedOf(seeker, {"skill:sql"});
    request.set_top_k(top_k);
    request.set_resume_token(token);
    return request;
  }
  static std::vector<std::string> HelpersOf(const pb::MatchEvent& event) {
    std::vector<std::string> helpers;
    for (const auto& match : event.answer().matches()) helpers.push_back(match.helper());
    return helpers;
  }
};

TEST_F(Watches, ABetterMatchIsPushedAndOthersAreNot) {
  server_.Import({SeekerRow("amina"), HelperRow("hana", {"skill:sql", "skill:go", "skill:c"})});
  const auto context = server_.Context(20'000);
  auto stub = server_.matches();
  auto stream = stub.Watch(context.get(), MatchesOf("amina", 1));
  pb::MatchEvent event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_THAT(HelpersOf(event), ElementsAre(Name("hana")));
  EXPECT_THAT(event.appeared(), ElementsAre(0));
  const std::string first_token = event.resume_token();
  // Somebody who is no better changes nothing; somebody with evidence does.
  server_.Import({HelperRow("ivo", {"skill:rust"})});
  pb::Row proven = HelperRow("petra", {"skill:sql"});
  pb::Evidence* evidence = proven.mutable_member()->add_evidence();
  evidence->set_outcome(pb::HELPED);
  evidence->set_count(9);
  evidence->mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()));
  server_.Import({proven});
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_THAT(HelpersOf(event), ElementsAre(Name("petra")));
  EXPECT_THAT(event.appeared(), ElementsAre(0));
  const std::string token = event.resume_token();
  context->TryCancel();
  (void)stream->Finish();

  // With the token of the newest answer, it is not told again; with an older one it is.
  const auto resumed = server_.Context(3'000);
  auto quiet = stub.Watch(resumed.get(), MatchesOf("amina", 1, token));
  EXPECT_FALSE(quiet->Read(&event));
  EXPECT_EQ(quiet->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  const auto older = server_.Context();
  auto told = stub.Watch(older.get(), MatchesOf("amina", 1, first_token));
  ASSERT_TRUE(told->Read(&event));
  EXPECT_THAT(HelpersOf(event), ElementsAre(Name("petra")));
  older->TryCancel();
  (void)told->Finish();
}

TEST_F(Watches, WatchingMatchesRefusesWhatMatchRefuses) {
  server_.Import({SeekerRow("amina"), SeekerRow("zoe")});
  auto stub = server_.matches();
  pb::MatchEvent event;
  auto request = MatchesOf("amina", 1'000);
  auto context = server_.Context();
  auto stream = stub.Watch(context.get(), request);
  EXPECT_FALSE(stream->Read(&event));
  const auto status = stream->Finish();
  EXPECT_THAT(ViolationsOf(status), ElementsAre("top_k: 1000 is out of range: give 1 to 100, or 0 for 10"));
  request = MatchesOf("amina", 1);
  *request.mutable_actor() = Acting(pb::SEEKER, "zoe");
  context = server_.Context();
  stream = stub.Watch(context.get(), request);
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

class Silent : public Watches {
 protected:
  grpc::Status Confirm(const std::string& id) {
    pb::ConfirmOfferRequest request;
    *request.mutable_actor() = Acting(pb::HELPER, id);
    request.set_name(Name(id));
    pb::WriteMemberResponse response;
    return server_.members().ConfirmOffer(server_.Context().get(), request, &response);
  }
};

TEST_F(Silent, AHelperIsRemindedThenPausedAndComesBackWithOneCall) {
  SetRules([](pb::IntroductionRules& rules) {
    rules.mutable_expiry_normal()->set_seconds(1);
    rules.set_silent_asks_to_remind(1);
    rules.set_silent_asks_to_pause(2);
  });
  server_.Import(
      {SeekerRow("amina"), SeekerRow("zoe"), HelperRow("hana", {"skill:sql"}), HelperRow("ivo", {"skill:go"})});
  pb::WatchMembersRequest request;
  *request.mutable_actor() = Acting(pb::HELPER, "hana");
  request.set_parent("pools/p");
  request.set_member(Name("hana"));
  const auto context = server_.Context(30'000);
  auto stub = server_.members();
  auto stream = stub.Watch(context.get(), request);
  // The watch begins now, not when its first byte is sent: an event of an unrelated member must not come.
  stream->WaitForInitialMetadata();
  MustSend(Ask("amina", {"hana"}));
  MustSend(Ask("zoe", {"hana"}, MessageNumber(2)));
  std::vector<pb::Notice::Kind> notices;
  bool paused = false;
  pb::MemberEvent event;
  while (notices.size() < 2 || !paused) {
    ASSERT_TRUE(stream->Read(&event)) << stream->Finish().error_message();
    if (event.has_notice()) {
      EXPECT_EQ(event.notice().member(), Name("hana"));
      EXPECT_FALSE(event.notice().introduction().empty());
      notices.push_back(event.notice().kind());
    } else {
      EXPECT_EQ(event.changed().name(), Name("hana"));
      paused = event.changed().offer().paused();
    }
  }
  EXPECT_THAT(notices, ElementsAre(pb::Notice::REMINDER, pb::Notice::PAUSED));
  // A stream that begins at the start tells all of it once more.
  const std::string token = event.resume_token();
  ASSERT_TRUE(Confirm("hana").ok());
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_FALSE(event.changed().offer().paused());
  EXPECT_EQ(event.changed().silent_asks(), 0);
  context->TryCancel();
  (void)stream->Finish();
  request.set_resume_token(token);
  const auto resumed = server_.Context();
  auto again = stub.Watch(resumed.get(), request);
  ASSERT_TRUE(again->Read(&event));
  EXPECT_FALSE(event.changed().offer().paused());
  resumed->TryCancel();
  (void)again->Finish();
}

TEST_F(Watches, AMemberWatchesThemselvesAndNobodyElse) {
  server_.Import({SeekerRow("amina"), HelperRow("hana", {"skill:sql"})});
  pb::WatchMembersRequest request;
  *request.mutable_actor() = Acting(pb::SEEKER, "amina");
  request.set_parent("pools/p");
  request.set_member(Name("hana"));
  pb::MemberEvent event;
  auto stub = server_.members();
  for (const std::string& other : {Name("hana"), std::string()}) {
    request.set_member(other);
    const auto context = server_.Context();
    auto stream = stub.Watch(context.get(), request);
    EXPECT_FALSE(stream->Read(&event));
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  }
}

TEST_F(Watches, OperatorsHearOfErasuresWithoutNames) {
  const std::string start = server_.CreatePool("q");
  server_.Import({SeekerRow("amina")}, "q");
  pb::EraseMemberRequest erase;
  *erase.mutable_actor() = Operator();
  erase.set_name("pools/q/members/amina");
  pb::Erasure erasure;
  auto stub = server_.members();
  const auto erased = stub.EraseMember(server_.Context().get(), erase, &erasure);
  ASSERT_TRUE(erased.ok()) << erased.error_message();
  pb::WatchMembersRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/q");
  request.set_resume_token(start);
  const auto context = server_.Context();
  auto stream = stub.Watch(context.get(), request);
  pb::MemberEvent event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_FALSE(event.erased().empty());
  EXPECT_THAT(event.DebugString(), ::testing::Not(::testing::HasSubstr("amina")));
  context->TryCancel();
  (void)stream->Finish();
}

}  // namespace
}  // namespace warmline::testing
