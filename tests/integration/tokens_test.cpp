// Tokens over gRPC: whatever is changed in one, and whoever else uses it, elsewhere or for something else, is refused
// with the reason.
#include <filesystem>

#include "support/introductions_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Each letter of a token changed to another, one at a time, and the token cut short.
std::vector<std::string> Changed(const std::string& token) {
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < token.size(); ++i) {
    changed.push_back(token);
    changed.back()[i] = token[i] == 'A' ? 'B' : 'A';
    changed.push_back(token);
    // The neighbour in the alphabet: of the last letter it may differ in bits that stand for nothing.
    changed.back()[i] = static_cast<char>(token[i] == 'z' || token[i] == 'Z' || token[i] == '9' ? token[i] - 1
                                          : token[i] == '-' || token[i] == '_'                  ? 'x'
                                                                                                : token[i] + 1);
  }
  changed.push_back(token.substr(0, token.size() - 1));
  changed.push_back(token + "A");
  return changed;
}

class Tokens : public Introductions {
 protected:
  Tokens() {
    server_.Import({SeekerRow("amina"), SeekerRow("bo"), SeekerRow("zoe"),
                    HelperRow("carla", {"skill:sql"}, pb::SECOND_DEGREE), HelperRow("ivo", {"skill:sql"}),
                    HelperRow("petra", {"skill:sql"}), TieRow("amina", "bo"), TieRow("amina", "zoe"),
                    TieRow("bo", "carla"), TieRow("bo", "zoe")});
    server_.CreatePool("q");
    server_.Import(
        {SeekerRow("amina"), SeekerRow("bo"), SeekerRow("zoe"), TieRow("amina", "bo"), TieRow("amina", "zoe")}, "q");
  }
  // One page of a list, of one entry: the token of the next, or the error.
  using List = std::function<grpc::Status(const pb::Actor& actor, const std::string& pool, const std::string& member,
                                          const std::string& token, std::string* next)>;
  template <typename Request, typename Response, typename Call>
  static List ListOf(Call call, void (*choose)(Request&, const std::string& name)) {
    return [call, choose](const pb::Actor& actor, const std::string& pool, const std::string& member,
                          const std::string& token, std::string* next) {
      Request request;
      *request.mutable_actor() = actor;
      request.set_parent("pools/" + pool);
      choose(request, "pools/" + pool + "/members/" + member);
      request.set_page_size(1);
      request.set_page_token(token);
      Response response;
      const grpc::Status status = call(request, &response);
      if (next != nullptr) *next = response.next_page_token();
      return status;
    };
  }
  std::vector<std::pair<std::string, List>> Lists() {
    return {{"ties", ListOf<pb::ListConnectionsRequest, pb::ListConnectionsResponse>(
                         [this](const auto& request, auto* response) {
                           return server_.members().ListConnections(server_.Context().get(), request, response);
                         },
                         [](auto& request, const std::string& name) { request.set_member(name); })},
            {"blocks", ListOf<pb::ListBlocksRequest, pb::ListBlocksResponse>(
                           [this](const auto& request, auto* response) {
                             return server_.members().ListBlocks(server_.Context().get(), request, response);
                           },
                           [](auto& request, const std::string& name) { request.set_member(name); })},
            {"needs", ListOf<pb::ListNeedsRequest, pb::ListNeedsResponse>(
                          [this](const auto& request, auto* response) {
                            return server_.needs().ListNeeds(server_.Context().get(), request, response);
                          },
                          [](auto& request, const std::string& name) { request.set_seeker(name); })},
            {"introductions", ListOf<pb::ListIntroductionsRequest, pb::ListIntroductionsResponse>(
                                  [this](const auto& request, auto* response) {
                                    return asks().List(server_.Context().get(), request, response);
                                  },
                                  [](auto& request, const std::string& name) { request.set_member(name); })},
            {"members", ListOf<pb::ListMembersRequest, pb::ListMembersResponse>(
                            [this](const auto& request, auto* response) {
                              return server_.members().ListMembers(server_.Context().get(), request, response);
                            },
                            [](auto&, const std::string&) {})}};
  }
  // Two needs, blocks and asks of amina, so that every list has a second page.
  void Fill() {
    for (int i = 0; i < 2; ++i) {
      pb::CreateNeedRequest need;
      *need.mutable_actor() = Acting(pb::SEEKER, "amina");
      need.set_parent("pools/p");
      *need.mutable_need() = NeedOf("amina", {"skill:sql"});
      need.set_request_id(FreshId());
      pb::WriteNeedResponse made;
      EXPECT_TRUE(server_.needs().CreateNeed(server_.Context().get(), need, &made).ok());
      pb::CreateBlockRequest block;
      *block.mutable_actor() = Acting(pb::SEEKER, "amina");
      block.set_parent("pools/p");
      block.mutable_block()->set_blocker(Name("amina"));
      block.mutable_block()->set_blocked(Name("nobody" + std::to_string(i)));
      pb::WriteBlockResponse blocked;
      EXPECT_TRUE(server_.members().CreateBlock(server_.Context().get(), block, &blocked).ok());
      MustSend(Ask("amina", {i == 0 ? "ivo" : "petra"}, MessageNumber(i)));
    }
  }
  grpc::Status MatchAt(const std::string& revision, const std::string& pool = "p", int wait_s = 0) {
    pb::MatchRequest request;
    *request.mutable_actor() = Operator();
    request.set_parent("pools/" + pool);
    request.set_min_revision(revision);
    request.mutable_min_revision_wait()->set_seconds(wait_s);
    *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
    request.mutable_inline_need()->set_seeker("pools/" + pool + "/members/amina");
    pb::MatchResponse response;
    return server_.matches().Match(server_.Context(5'000).get(), request, &response);
  }
  std::string Revision(const std::string& pool = "p") {
    pb::GetIndexStateRequest request;
    *request.mutable_actor() = Operator();
    request.set_name("pools/" + pool);
    pb::IndexState state;
    EXPECT_TRUE(server_.pools().GetIndexState(server_.Context().get(), request, &state).ok());
    return state.revision();
  }
};

TEST_F(Tokens, PagesAreForTheCallerThePoolTheListAndTheFilterTheyWereMadeFor) {
  Fill();
  const auto lists = Lists();
  std::map<std::string, std::string> tokens;
  for (const auto& [name, list] : lists) {
    const pb::Actor actor = name == "members" ? Operator() : Acting(pb::SEEKER, "amina");
    std::string token;
    ASSERT_TRUE(list(actor, "p", "amina", "", &token).ok()) << name;
    ASSERT_FALSE(token.empty()) << name;
    const auto refused = [&](const grpc::Status& status) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << name;
      EXPECT_THAT(ViolationsOf(status), ElementsAre(HasSubstr("page_token: "))) << name;
    };
    for (const std::string& changed : Changed(token)) refused(list(actor, "p", "amina", changed, nullptr));
    std::string next;
    EXPECT_TRUE(list(actor, "p", "amina", token, &next).ok()) << name;
    EXPECT_NE(next, token) << name;
    // Another pool; another member's list, audience or caller; another list.
    refused(list(name == "members" ? Operator() : Acting(pb::SEEKER, "amina", "q"), "q", "amina", token, nullptr));
    if (name != "members") {
      refused(list(Acting(pb::SEEKER, "bo"), "p", "bo", token, nullptr));
      refused(list(Operator(), "p", "amina", token, nullptr));
      if (name != "needs") refused(list(Acting(pb::HELPER, "amina"), "p", "amina", token, nullptr));
    }
    for (const auto& [other, other_token] : tokens) {
      if ((other == "members") == (name == "members")) refused(list(actor, "p", "amina", other_token, nullptr));
    }
    tokens[name] = token;
  }
  // A filter of the same list; and the page's size, which may change.
  pb::ListIntroductionsRequest request;
  *request.mutable_actor() = Acting(pb::SEEKER, "amina");
  request.set_parent("pools/p");
  request.set_member(Name("amina"));
  request.set_page_token(tokens["introductions"]);
  pb::ListIntroductionsResponse response;
  EXPECT_TRUE(asks().List(server_.Context().get(), request, &response).ok());
  EXPECT_EQ(response.introductions_size(), 1);
  request.set_open_only(true);
  EXPECT_THAT(ViolationsOf(asks().List(server_.Context().get(), request, &response)),
              ElementsAre(HasSubstr("page_token: ")));
}

TEST_F(Tokens, RevisionsAreOfTheirPoolAndStoreWhoeverHoldsThem) {
  const std::string token = Revision();
  EXPECT_TRUE(MatchAt(token).ok());
  for (const std::string& changed : Changed(token))
    EXPECT_EQ(ReasonOf(MatchAt(changed)), "REVISION_OF_ANOTHER_HISTORY") << changed;
  EXPECT_EQ(ReasonOf(MatchAt(token, "q")), "REVISION_OF_ANOTHER_HISTORY");
  EXPECT_TRUE(MatchAt(Revision("q"), "q").ok());
  TestServer other;
  other.CreatePool();
  pb::GetIndexStateRequest request;
  *request.mutable_actor() = Operator();
  request.set_name("pools/p");
  pb::IndexState state;
  ASSERT_TRUE(other.pools().GetIndexState(other.Context().get(), request, &state).ok());
  EXPECT_EQ(ReasonOf(MatchAt(state.revision())), "REVISION_OF_ANOTHER_HISTORY");
  // The same after a restart: the key lives with the store.
  server_.Restart();
  EXPECT_TRUE(MatchAt(token).ok());
  EXPECT_EQ(Revision(), token);
}

TEST_F(Tokens, ARevisionAheadOfTheStoreIsRefusedAtOnce) {
  if (IsClusterProfile()) GTEST_SKIP() << "copies the file of an embedded store";
  namespace fs = std::filesystem;
  const fs::path copy = server_.directory() + "-copy";
  server_.Stop();
  fs::copy(server_.directory(), copy, fs::copy_options::recursive);
  server_.Restart();
  const std::string token = server_.Import({SeekerRow("late")}).revision();
  // A copy made before comes back, with the key and the history of the store.
  server_.Stop();
  fs::remove_all(server_.directory());
  fs::rename(copy, server_.directory());
  server_.Restart();
  const auto status = MatchAt(token, "p", 30);
  EXPECT_EQ(ReasonOf(status), "REVISION_OF_ANOTHER_HISTORY") << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("ahead of everything"));
  pb::WatchMembersRequest watch;
  *watch.mutable_actor() = Operator();
  watch.set_parent("pools/p");
  watch.set_resume_token(token);
  const auto context = server_.Context(5'000);
  auto stub = server_.members();
  const auto ended = stub.Watch(context.get(), watch)->Finish();
  EXPECT_EQ(ReasonOf(ended), "REVISION_OF_ANOTHER_HISTORY") << ended.error_message();
}

TEST_F(Tokens, WatchesGoOnForWhomTheyWereMade) {
  const auto watch = [&](const std::string& token, const pb::Actor& actor, const std::string& member,
                         const std::string& pool = "p") {
    pb::WatchMembersRequest request;
    *request.mutable_actor() = actor;
    request.set_parent("pools/" + pool);
    if (!member.empty()) request.set_member("pools/" + pool + "/members/" + member);
    request.set_resume_token(token);
    return request;
  };
  auto stub = server_.members();
  const std::string start = Revision();
  server_.Import({HelperRow("ivo", {"skill:go"})});
  pb::MemberEvent event;
  {
    const auto context = server_.Context();
    const auto stream = stub.Watch(context.get(), watch(start, Acting(pb::HELPER, "ivo"), "ivo"));
    ASSERT_TRUE(stream->Read(&event));
    context->TryCancel();
    (void)stream->Finish();
  }
  const std::string token = event.resume_token();
  const auto ended = [&](const pb::WatchMembersRequest& request) {
    const auto context = server_.Context();
    return ReasonOf(stub.Watch(context.get(), request)->Finish());
  };
  for (const std::string& changed : Changed(token))
    EXPECT_EQ(ended(watch(changed, Acting(pb::HELPER, "ivo"), "ivo")), "REVISION_OF_ANOTHER_HISTORY");
  EXPECT_EQ(ended(watch(token, Acting(pb::HELPER, "petra"), "petra")), "REVISION_OF_ANOTHER_HISTORY");
  EXPECT_EQ(ended(watch(token, Acting(pb::SEEKER, "ivo"), "ivo")), "REVISION_OF_ANOTHER_HISTORY");
  EXPECT_EQ(ended(watch(token, Operator(), "ivo")), "REVISION_OF_ANOTHER_HISTORY");
  EXPECT_EQ(ended(watch(token, Acting(pb::HELPER, "amina", "q"), "amina", "q")), "REVISION_OF_ANOTHER_HISTORY");
  pb::WatchIntroductionsRequest introductions;  // another list
  *introductions.mutable_actor() = Acting(pb::HELPER, "ivo");
  introductions.set_parent("pools/p");
  introductions.set_member(Name("ivo"));
  introductions.set_resume_token(token);
  const auto context = server_.Context();
  EXPECT_EQ(ReasonOf(asks().Watch(context.get(), introductions)->Finish()), "REVISION_OF_ANOTHER_HISTORY");
  // And it is not a revision.
  EXPECT_EQ(ReasonOf(MatchAt(token)), "REVISION_OF_ANOTHER_HISTORY");
}

TEST_F(Tokens, CandidatesAndWatchesOfMatchesAreOfTheirNeed) {
  const auto masked = [&](const pb::MatchResponse& response) {
    for (const auto& match : response.matches()) {
      if (!match.candidate().empty()) return match.candidate();
    }
    return std::string();
  };
  const std::string candidate = masked(Match("amina"));
  ASSERT_FALSE(candidate.empty());
  const auto explain = [&](const std::string& seeker, const std::string& token, const std::string& interest) {
    pb::ExplainRequest request;
    *request.mutable_actor() = Acting(pb::SEEKER, seeker);
    request.set_parent("pools/p");
    *request.mutable_inline_need() = NeedOf(seeker, {interest});
    request.set_candidate(token);
    pb::ExplainResponse response;
    return server_.matches().Explain(server_.Context().get(), request, &response);
  };
  EXPECT_TRUE(explain("amina", candidate, "skill:sql").ok());
  std::vector<grpc::Status> refused = {explain("amina", candidate, "skill:go"), explain("zoe", candidate, "skill:sql")};
  for (const std::string& changed : Changed(candidate)) refused.push_back(explain("amina", changed, "skill:sql"));
  for (const auto& status : refused) EXPECT_THAT(ViolationsOf(status), ElementsAre(HasSubstr("candidate: ")));

  const auto watch = [&](const std::string& seeker, const std::string& token, int top_k, const std::string& interest) {
    pb::WatchMatchesRequest request;
    *request.mutable_actor() = Acting(pb::SEEKER, seeker);
    request.set_parent("pools/p");
    *request.mutable_inline_need() = NeedOf(seeker, {interest});
    request.set_top_k(top_k);
    request.set_resume_token(token);
    return request;
  };
  auto stub = server_.matches();
  pb::MatchEvent event;
  {
    const auto context = server_.Context();
    const auto stream = stub.Watch(context.get(), watch("amina", "", 5, "skill:sql"));
    ASSERT_TRUE(stream->Read(&event));
    context->TryCancel();
    (void)stream->Finish();
  }
  const std::string token = event.resume_token();
  std::vector<pb::WatchMatchesRequest> wrong = {
      watch("zoe", token, 5, "skill:sql"), watch("amina", token, 6, "skill:sql"), watch("amina", token, 5, "skill:go"),
      watch("amina", candidate, 5, "skill:sql"), watch("amina", Revision(), 5, "skill:sql")};
  for (const std::string& changed : Changed(token)) wrong.push_back(watch("amina", changed, 5, "skill:sql"));
  for (const auto& request : wrong) {
    const auto context = server_.Context();
    EXPECT_THAT(ViolationsOf(stub.Watch(context.get(), request)->Finish()), ElementsAre(HasSubstr("resume_token: ")));
  }
}

}  // namespace
}  // namespace warmline::testing
