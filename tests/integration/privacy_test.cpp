// Who a masked helper is stays hidden from whoever guesses: exclusions, masked candidates, counts, and how often one
// may guess.
#include <absl/strings/str_format.h>

#include <set>

#include "support/introductions_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// amina knows bo, who knows m4217: one of ten thousand whom she could guess, shown to her without a name.
class Privacy : public Introductions {
 protected:
  static constexpr int kGuesses = 10'000;
  static std::string Guess(int number) { return absl::StrFormat("m%04d", number); }
  Privacy() {
    server_.Import({SeekerRow("amina"), SeekerRow("bo"), HelperRow(Guess(4217), {"skill:sql"}, pb::SECOND_DEGREE),
                    HelperRow("dora", {"skill:sql"}, pb::FIRST_DEGREE), HelperRow("otto", {"skill:sql"}),
                    TieRow("amina", "bo"), TieRow("bo", Guess(4217)), TieRow("amina", "dora")});
  }
  static pb::MatchRequest Excluding(const pb::Actor& actor, const std::vector<std::string>& ids) {
    pb::MatchRequest request;
    *request.mutable_actor() = actor;
    request.set_parent("pools/p");
    *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
    for (const std::string& id : ids)
      request.mutable_inline_need()->mutable_constraints()->add_exclude_members(Name(id));
    request.set_count_rules(true);
    return request;
  }
  pb::MatchResponse Answer(const pb::MatchRequest& request) {
    pb::MatchResponse response;
    const auto status = server_.matches().Match(server_.Context().get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // What a caller sees who cannot tell one need from another: the helpers by name, how many are masked, and the counts.
  static std::string Seen(const pb::MatchResponse& response) {
    std::set<std::string> names;
    int masked = 0;
    for (const auto& match : response.matches()) {
      if (match.helper().empty()) ++masked;
      names.insert(match.helper());
    }
    std::string text = std::to_string(masked);
    for (const std::string& name : names) text += "\n" + name;
    for (const auto& count : response.removed()) text += "\n" + count.ShortDebugString();
    return text + "\n" + std::to_string(response.candidates()) + std::to_string(response.candidates_below_five());
  }
  // Halves the guesses until one is left; nothing when no answer ever differs from that without exclusions.
  template <typename Answer>
  static std::optional<std::string> Search(Answer answer) {
    const std::string unchanged = answer({});
    int low = 0;
    int high = kGuesses;
    bool learned = false;
    for (int request = 0; request < 15 && high - low > 1; ++request) {
      const int middle = (low + high) / 2;
      std::vector<std::string> half;
      for (int i = low; i < middle; ++i) half.push_back(Guess(i));
      if (answer(half) != unchanged) {
        learned = true;
        high = middle;
      } else {
        low = middle;
      }
    }
    return learned ? std::optional(Guess(low)) : std::nullopt;
  }
  std::string Candidate() {
    const pb::MatchResponse answer = Answer(Excluding(Acting(pb::SEEKER, "amina"), {}));
    for (const auto& match : answer.matches()) {
      if (!match.candidate().empty()) return match.candidate();
    }
    ADD_FAILURE() << "nobody is masked";
    return {};
  }
  grpc::Status Explain(const pb::Actor& actor, const std::string& helper, pb::ExplainResponse* response = nullptr) {
    pb::ExplainRequest request;
    *request.mutable_actor() = actor;
    request.set_parent("pools/p");
    *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
    request.set_helper(Name(helper));
    pb::ExplainResponse own;
    return server_.matches().Explain(server_.Context().get(), request, response == nullptr ? &own : response);
  }
  grpc::Status Block(const pb::Actor& actor, const std::string& blocker, const std::string& blocked) {
    pb::CreateBlockRequest request;
    *request.mutable_actor() = actor;
    request.set_parent("pools/p");
    request.mutable_block()->set_blocker(Name(blocker));
    request.mutable_block()->set_blocked(Name(blocked));
    pb::WriteBlockResponse response;
    return server_.members().CreateBlock(server_.Context().get(), request, &response);
  }
};

TEST_F(Privacy, FifteenRequestsOfTenThousandGuessesTellNothing) {
  const auto by = [&](const pb::Actor& actor) {
    return Search([&](const std::vector<std::string>& half) { return Seen(Answer(Excluding(actor, half))); });
  };
  EXPECT_EQ(by(Acting(pb::SEEKER, "amina")), std::nullopt);
  EXPECT_EQ(by(Operator()), Guess(4217));  // whom nothing is hidden from
}

TEST_F(Privacy, NorDoStoredNeedsStreamsWatchesAndExplanations) {
  const pb::Actor amina = Acting(pb::SEEKER, "amina");
  pb::CreateNeedRequest create;
  *create.mutable_actor() = amina;
  create.set_parent("pools/p");
  *create.mutable_need() = NeedOf("amina", {"skill:sql"});
  create.set_request_id(FreshId());
  pb::WriteNeedResponse need;
  ASSERT_TRUE(server_.needs().CreateNeed(server_.Context().get(), create, &need).ok());
  const auto stored = [&](const std::vector<std::string>& half) {
    pb::UpdateNeedRequest update;
    *update.mutable_actor() = amina;
    *update.mutable_need() = need.need();
    update.mutable_need()->clear_etag();
    for (const auto& id : half) update.mutable_need()->mutable_constraints()->add_exclude_members(Name(id));
    update.add_update_mask("constraints");
    pb::WriteNeedResponse updated;
    const auto status = server_.needs().UpdateNeed(server_.Context().get(), update, &updated);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(updated.need().constraints().exclude_members_size(), static_cast<int>(half.size()));  // kept as given
    pb::MatchRequest match;
    *match.mutable_actor() = amina;
    match.set_parent("pools/p");
    match.set_need(need.need().name());
    match.set_count_rules(true);
    return Seen(Answer(match));
  };
  EXPECT_EQ(Search(stored), std::nullopt);

  auto stub = server_.matches();
  const auto context = server_.Context();
  const auto stream = stub.MatchStream(context.get());
  EXPECT_EQ(Search([&](const std::vector<std::string>& half) {
              EXPECT_TRUE(stream->Write(Excluding(amina, half)));
              pb::MatchStreamResponse response;
              EXPECT_TRUE(stream->Read(&response));
              EXPECT_FALSE(response.has_error()) << response.error().message();
              return Seen(response.response());
            }),
            std::nullopt);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());

  EXPECT_EQ(Search([&](const std::vector<std::string>& half) {
              pb::WatchMatchesRequest request;
              *request.mutable_actor() = amina;
              request.set_parent("pools/p");
              *request.mutable_inline_need() = Excluding(amina, half).inline_need();
              const auto watching = server_.Context();
              const auto watch = stub.Watch(watching.get(), request);
              pb::MatchEvent event;
              EXPECT_TRUE(watch->Read(&event));
              watching->TryCancel();
              (void)watch->Finish();
              return Seen(event.answer());
            }),
            std::nullopt);

  EXPECT_EQ(Search([&](const std::vector<std::string>& half) {
              pb::ExplainRequest request;
              *request.mutable_actor() = amina;
              request.set_parent("pools/p");
              const pb::MatchRequest match = Excluding(amina, half);
              *request.mutable_inline_need() = match.inline_need();
              const pb::MatchResponse answer = Answer(match);
              for (const auto& shown : answer.matches()) {
                if (!shown.candidate().empty()) request.set_candidate(shown.candidate());
              }
              pb::ExplainResponse response;
              const auto status = server_.matches().Explain(server_.Context().get(), request, &response);
              EXPECT_TRUE(status.ok()) << status.error_message();
              return std::to_string(response.has_match()) + std::to_string(response.blocked_by_size());
            }),
            std::nullopt);
}

TEST_F(Privacy, WhomOneMayNameOneMayExclude) {
  const pb::Actor amina = Acting(pb::SEEKER, "amina");
  const auto names = [&](const std::vector<std::string>& excluded) {
    std::set<std::string> shown;
    const pb::MatchResponse answer = Answer(Excluding(amina, excluded));
    for (const auto& match : answer.matches()) shown.insert(match.helper());
    return shown;
  };
  EXPECT_EQ(names({}), (std::set<std::string>{"", Name("dora"), Name("otto")}));
  EXPECT_EQ(names({"dora"}), (std::set<std::string>{"", Name("otto")}));  // a contact
  EXPECT_EQ(names({"otto"}), (std::set<std::string>{"", Name("dora")}));  // an open door
  EXPECT_EQ(names({"otto", "dora", Guess(4217), "nobody"}), std::set<std::string>{""});
  // The pool shows everybody by name.
  SetRules([](auto&) {}, pb::NAMED);
  EXPECT_EQ(names({}), (std::set<std::string>{Name(Guess(4217)), Name("dora"), Name("otto")}));
  EXPECT_EQ(names({Guess(4217)}), (std::set<std::string>{Name("dora"), Name("otto")}));
}

TEST_F(Privacy, WhoseNameAnIntroductionToldOneMayExcludeAndAskAbout) {
  const pb::Actor amina = Acting(pb::SEEKER, "amina");
  const auto masked = [&](const std::vector<std::string>& excluded) {
    int count = 0;
    const pb::MatchResponse answer = Answer(Excluding(amina, excluded));
    for (const auto& match : answer.matches()) count += match.helper().empty() ? 1 : 0;
    return count;
  };
  pb::RequestRequest ask = Ask("amina", {});
  ask.add_targets()->set_candidate(Candidate());
  const std::string name = MustSend(ask).name();
  EXPECT_EQ(ReasonOf(Explain(amina, Guess(4217))), "MEMBER_NOT_FOUND");
  ASSERT_TRUE(Forward("bo", name).ok());
  EXPECT_EQ(ReasonOf(Explain(amina, Guess(4217))), "MEMBER_NOT_FOUND");
  ASSERT_TRUE(Accept(Guess(4217), name).ok());
  pb::ExplainResponse explained;
  const auto status = Explain(amina, Guess(4217), &explained);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(explained.blocked_by(), ElementsAre(pb::RULE_OPEN_ASK));
  ASSERT_TRUE(Report(pb::SEEKER, "amina", name, pb::HELPED).ok());
  EXPECT_EQ(masked({}), 1);
  EXPECT_EQ(masked({Guess(4217)}), 0);
}

TEST_F(Privacy, AMaskedMatchIsLeftOutByItsToken) {
  const pb::Actor amina = Acting(pb::SEEKER, "amina");
  const std::string candidate = Candidate();
  pb::MatchRequest request = Excluding(amina, {});
  request.add_exclude_candidates(candidate);
  const pb::MatchResponse without = Answer(request);
  for (const auto& match : without.matches()) EXPECT_NE(match.helper(), "");
  ASSERT_EQ(without.removed_size(), 1);
  EXPECT_EQ(without.removed(0).rule(), pb::RULE_EXCLUDED);
  EXPECT_TRUE(without.removed(0).below_five());
  pb::MatchResponse response;
  const auto error = [&](const pb::MatchRequest& wrong) {
    return ViolationsOf(server_.matches().Match(server_.Context().get(), wrong, &response));
  };
  // Of another need, made up, or of too many.
  request.mutable_inline_need()->set_urgency(pb::HIGH);
  EXPECT_THAT(error(request), ElementsAre(HasSubstr("exclude_candidates[0]: ")));
  request.mutable_inline_need()->clear_urgency();
  request.add_exclude_candidates("made-up");
  EXPECT_THAT(error(request), ElementsAre(HasSubstr("exclude_candidates[1]: \"made-up\" is not a candidate")));
  for (int i = 0; i < 1'000; ++i) request.add_exclude_candidates(candidate);
  EXPECT_THAT(error(request), ElementsAre(HasSubstr("exclude_candidates: has 1002 entries: at most 1000")));
  // A watch leaves it out too.
  pb::WatchMatchesRequest watch;
  *watch.mutable_actor() = amina;
  watch.set_parent("pools/p");
  *watch.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
  watch.add_exclude_candidates(candidate);
  const auto context = server_.Context();
  auto stub = server_.matches();
  const auto stream = stub.Watch(context.get(), watch);
  pb::MatchEvent event;
  ASSERT_TRUE(stream->Read(&event));
  EXPECT_EQ(event.answer().matches_size(), 2);
  context->TryCancel();
  (void)stream->Finish();
}

TEST_F(Privacy, AGuessBesideATokenDoesNotSayWhetherTheyAreOne) {
  for (const std::string& guess : {Guess(4217), Guess(17)}) {
    pb::RequestRequest ask = Ask("amina", {});
    ask.add_targets()->set_candidate(Candidate());
    ask.add_targets()->set_helper(Name(guess));
    const auto status = Send(ask);
    EXPECT_EQ(ReasonOf(status), "MEMBER_NOT_FOUND") << guess;
    EXPECT_EQ(status.error_message().find("targets"), std::string::npos) << status.error_message();
  }
}

TEST_F(Privacy, AnOperatorsAskIsMaskedToTheSeekerToo) {
  pb::RequestRequest ask = Ask("amina", {Guess(4217)});
  *ask.mutable_actor() = Operator();
  const pb::Introduction made = MustSend(ask);
  EXPECT_EQ(made.helper(), Name(Guess(4217)));
  const pb::Introduction seen = Get(Acting(pb::SEEKER, "amina"), made.name());
  EXPECT_EQ(seen.helper(), "");
  EXPECT_EQ(seen.DebugString().find(Guess(4217)), std::string::npos);
  for (const auto& reason : seen.reasons()) EXPECT_EQ(reason.value() % (1U << 16), 0U);
  ASSERT_TRUE(Forward("bo", made.name()).ok());
  ASSERT_TRUE(Accept(Guess(4217), made.name()).ok());
  EXPECT_EQ(Get(Acting(pb::SEEKER, "amina"), made.name()).helper(), Name(Guess(4217)));
}

TEST_F(Privacy, WhoNeverConfirmedTheirOfferIsThereForNobody) {
  pb::WriteMemberResponse created;
  pb::CreateMemberRequest create;
  *create.mutable_actor() = Operator();
  create.set_parent("pools/p");
  *create.mutable_member() = HelperRow("quiet", {"skill:sql"}).member();
  create.set_request_id(FreshId());
  ASSERT_TRUE(server_.members().CreateMember(server_.Context().get(), create, &created).ok());
  EXPECT_EQ(ReasonOf(Explain(Acting(pb::SEEKER, "amina"), "quiet")), "MEMBER_NOT_FOUND");
  EXPECT_TRUE(Explain(Operator(), "quiet").ok());
}

TEST_F(Privacy, GuessesAreCountedAndEnd) {
  const pb::Actor amina = Acting(pb::SEEKER, "amina");
  for (int i = 0; i < 60; ++i) EXPECT_EQ(ReasonOf(Explain(amina, Guess(i))), "MEMBER_NOT_FOUND") << i;
  // From now on who is there and who is not read alike in this too.
  for (const std::string& guess : {Guess(4217), Guess(100), std::string("otto")}) {
    const auto status = Explain(amina, guess);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonOf(status), "LIMIT_REACHED");
    EXPECT_TRUE(HasRetryInfo(status));
  }
  EXPECT_EQ(ReasonOf(Send(Ask("amina", {Guess(4217)}))), "LIMIT_REACHED");
  EXPECT_EQ(ReasonOf(Explain(Acting(pb::SEEKER, "bo"), Guess(5))), "ACTING_MEMBER_NOT_ALLOWED");  // another's need
  EXPECT_TRUE(Explain(Operator(), Guess(4217)).ok());
  EXPECT_EQ(ReasonOf(Explain(Operator(), "nobody")), "MEMBER_NOT_FOUND");
  EXPECT_FALSE(Answer(Excluding(amina, {})).matches().empty());  // matching goes on
  EXPECT_THAT(server_.Page("/metrics"), HasSubstr("warmline_rpc_refused_total{lane=\"matches\",reason=\"guesses\"} 4"));
}

TEST_F(Privacy, BlocksOfWhoMayNotBeNamedAreFew) {
  const pb::Actor amina = Acting(pb::SEEKER, "amina");
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(Block(amina, "amina", Guess(i)).ok()) << i;
  EXPECT_EQ(ReasonOf(Block(amina, "amina", Guess(4217))), "LIMIT_REACHED");
  EXPECT_EQ(ReasonOf(Block(amina, "amina", Guess(99))), "LIMIT_REACHED");
  EXPECT_TRUE(Block(amina, "amina", "dora").ok());  // whom they know they may always block
  EXPECT_TRUE(Block(amina, "amina", "otto").ok());
  EXPECT_TRUE(Block(Operator(), "amina", Guess(4217)).ok());
  EXPECT_EQ(ReasonOf(Block(Operator(), "amina", "nobody")), "MEMBER_NOT_FOUND");
}

TEST_F(Privacy, SmallCountsOfInterestsReadBelowFive) {
  std::vector<pb::Row> rows;
  for (int i = 0; i < 6; ++i) {
    std::vector<std::string> interests = {"hobby:common"};
    if (i < 4) interests.emplace_back("hobby:d-of-four");
    if (i < 1) interests.emplace_back("hobby:a-of-one");
    if (i < 5) interests.emplace_back("hobby:e-of-five");
    rows.push_back(HelperRow("h" + std::to_string(i), interests));
  }
  server_.Import(rows);
  const auto suggest = [&](const pb::Actor& actor, int limit) {
    pb::SuggestInterestsRequest request;
    *request.mutable_actor() = actor;
    request.set_parent("pools/p");
    request.set_prefix("hobby:");
    request.set_limit(limit);
    pb::SuggestInterestsResponse response;
    EXPECT_TRUE(server_.matches().SuggestInterests(server_.Context().get(), request, &response).ok());
    std::vector<std::string> text;
    for (const auto& s : response.suggestions())
      text.push_back(absl::StrFormat("%s %d %d", s.interest(), s.helpers(), s.below_five()));
    return text;
  };
  // Among the small ones the order says nothing either, nor who is cut off.
  EXPECT_THAT(suggest(Acting(pb::SEEKER, "amina"), 10),
              ElementsAre("hobby:common 6 0", "hobby:e-of-five 5 0", "hobby:a-of-one 0 1", "hobby:d-of-four 0 1"));
  EXPECT_THAT(suggest(Acting(pb::SEEKER, "amina"), 3),
              ElementsAre("hobby:common 6 0", "hobby:e-of-five 5 0", "hobby:a-of-one 0 1"));
  EXPECT_THAT(suggest(Operator(), 10),
              ElementsAre("hobby:common 6 0", "hobby:e-of-five 5 0", "hobby:d-of-four 4 0", "hobby:a-of-one 1 0"));
}

}  // namespace
}  // namespace warmline::testing
