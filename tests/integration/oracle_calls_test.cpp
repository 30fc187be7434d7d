// Every call that can name a member: to all but operators the answer for somebody who is there and whom the caller may
// not name is, byte by byte, that for somebody who is not there, and so is everything that follows from it.
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <httplib.h>

#include <map>
#include <nlohmann/json.hpp>

#include "support/introductions_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;

// carla is shown to amina masked, greta blocks amina, ulla never confirmed; nobody is called zelda. Ids are of one
// length, so that nothing differs but them.
class Oracles : public Introductions {
 protected:
  Oracles() {
    pb::Row greta_blocks;
    greta_blocks.mutable_block()->set_blocker("greta");
    greta_blocks.mutable_block()->set_blocked("amina");
    server_.Import({SeekerRow("amina"), SeekerRow("bobby"), HelperRow("carla", {"skill:sql"}, pb::SECOND_DEGREE),
                    HelperRow("greta", {"skill:sql"}, pb::SECOND_DEGREE), SeekerRow("henry"), TieRow("amina", "bobby"),
                    TieRow("bobby", "carla"), greta_blocks});
    pb::CreateMemberRequest create;
    *create.mutable_actor() = Operator();
    create.set_parent("pools/p");
    *create.mutable_member() = HelperRow("linda", {"skill:sql"}).member();
    create.set_request_id(FreshId());
    pb::WriteMemberResponse response;
    EXPECT_TRUE(server_.members().CreateMember(server_.Context().get(), create, &response).ok());
    // Counted now, so that the server does not count by itself while rows of the log are compared.
    pb::RefreshStatisticsRequest refresh;
    *refresh.mutable_actor() = Operator();
    refresh.set_name("pools/p");
    pb::WritePoolResponse counted;
    EXPECT_TRUE(server_.pools().RefreshStatistics(server_.Context().get(), refresh, &counted).ok());
  }
  static const std::vector<std::string>& There() {
    static const std::vector<std::string> ids = {"carla", "greta", "henry", "linda"};
    return ids;
  }
  static constexpr char kNotThere[] = "zelda";

  // The answer with the id in it blotted out, and without what differs from call to call: revisions, etags, times.
  static std::string Blotted(const std::string& text, const std::string& id) {
    std::vector<std::string> lines;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      bool differs = false;
      for (const char* field : {"revision:", "etag:", "seconds:", "nanos:", "need_id:"})
        differs = differs || line.find(field) != absl::string_view::npos;
      if (!differs) lines.emplace_back(line);
    }
    return absl::StrReplaceAll(absl::StrJoin(lines, "\n"), {{id, "@"}});
  }
  static std::string Blotted(const grpc::Status& status, const google::protobuf::Message& message,
                             const std::string& id) {
    return Blotted(absl::StrFormat("%d\n%s\n%s\n%s", status.error_code(), status.error_message(),
                                   status.error_details(), message.DebugString()),
                   id);
  }
  template <typename Request>
  static Request By(const std::string& member, pb::Audience audience = pb::SEEKER) {
    Request request;
    *request.mutable_actor() = Acting(audience, member);
    return request;
  }
  static std::string Pair(const std::string& id) { return id < "amina" ? id + "~amina" : "amina~" + id; }
  // The revision that a write of amina's took.
  std::int64_t OwnWrite() {
    auto request = By<pb::CreateNeedRequest>("amina");
    request.set_parent("pools/p");
    *request.mutable_need() = NeedOf("amina", {"skill:sql"});
    request.set_request_id(FreshId());
    pb::WriteNeedResponse response;
    EXPECT_TRUE(server_.needs().CreateNeed(server_.Context().get(), request, &response).ok());
    auto close = By<pb::CloseNeedRequest>("amina");
    close.set_name(response.need().name());
    close.set_reason(pb::OTHER);
    EXPECT_TRUE(server_.needs().CloseNeed(server_.Context().get(), close, &response).ok());
    return std::stoll(response.need().etag().substr(1));
  }

  std::string Connect(const std::string& id, bool validate_only) {
    auto request = By<pb::CreateConnectionRequest>("amina");
    request.set_parent("pools/p");
    request.mutable_connection()->set_member_a(Name("amina"));
    request.mutable_connection()->set_member_b(Name(id));
    request.mutable_connection()->set_unseen(true);  // not the caller's to say
    request.set_validate_only(validate_only);
    request.set_request_id(FreshId());
    pb::WriteConnectionResponse response;
    const auto status = server_.members().CreateConnection(server_.Context().get(), request, &response);
    return Blotted(status, response, id);
  }
  std::string Ties(const std::string& of, const std::string& id) {
    auto request = By<pb::ListConnectionsRequest>(of);
    request.set_parent("pools/p");
    request.set_member(Name(of));
    pb::ListConnectionsResponse response;
    const auto status = server_.members().ListConnections(server_.Context().get(), request, &response);
    return Blotted(status, response, id);
  }
  std::string Confirm(const std::string& who, const std::string& id) {
    auto request = By<pb::ConfirmConnectionRequest>(who);
    request.set_name("pools/p/connections/" + Pair(id));
    pb::WriteConnectionResponse response;
    const auto status = server_.members().ConfirmConnection(server_.Context().get(), request, &response);
    return Blotted(status, response, id);
  }
  std::string Disconnect(const std::string& who, const std::string& id) {
    auto request = By<pb::DeleteConnectionRequest>(who);
    request.set_name("pools/p/connections/" + Pair(id));
    pb::DeleteResponse response;
    const auto status = server_.members().DeleteConnection(server_.Context().get(), request, &response);
    return Blotted(status, response, id);
  }
  std::string Block(const std::string& id) {
    auto request = By<pb::CreateBlockRequest>("amina");
    request.set_parent("pools/p");
    request.mutable_block()->set_blocker(Name("amina"));
    request.mutable_block()->set_blocked(Name(id));
    pb::WriteBlockResponse response;
    const auto status = server_.members().CreateBlock(server_.Context().get(), request, &response);
    return Blotted(status, response, id);
  }
  std::string Blocks(const std::string& id) {
    auto request = By<pb::ListBlocksRequest>("amina");
    request.set_parent("pools/p");
    request.set_member(Name("amina"));
    pb::ListBlocksResponse response;
    const auto status = server_.members().ListBlocks(server_.Context().get(), request, &response);
    return Blotted(status, response, id);
  }
  std::string Unblock(const std::string& id) {
    auto request = By<pb::DeleteBlockRequest>("amina");
    request.set_name("pools/p/blocks/amina~" + id);
    pb::DeleteResponse response;
    const auto status = server_.members().DeleteBlock(server_.Context().get(), request, &response);
    return Blotted(status, response, id);
  }
};

TEST_F(Oracles, ReadsAndRefusalsAreTheSameForWhoIsThereAndWhoIsNot) {
  using Probe = std::function<std::string(const std::string& id)>;
  const auto member_call = [&](auto request, auto call) {
    return [this, request, call](const std::string& id) mutable {
      request.set_name(Name(id));
      return call(request, id);
    };
  };
  const std::map<std::string, Probe> probes = {
      {"GetMember", member_call(By<pb::GetMemberRequest>("amina"),
                                [&](const auto& request, const std::string& id) {
                                  pb::Member response;
                                  return Blotted(
                                      server_.members().GetMember(server_.Context().get(), request, &response),
                                      response, id);
                                })},
      {"ConfirmOffer", member_call(By<pb::ConfirmOfferRequest>("amina", pb::HELPER),
                                   [&](const auto& request, const std::string& id) {
                                     pb::WriteMemberResponse response;
                                     return Blotted(
                                         server_.members().ConfirmOffer(server_.Context().get(), request, &response),
                                         response, id);
                                   })},
      {"EraseMember", member_call(By<pb::EraseMemberRequest>("amina"),
                                  [&](const auto& request, const std::string& id) {
                                    pb::Erasure response;
                                    return Blotted(
                                        server_.members().EraseMember(server_.Context().get(), request, &response),
                                        response, id);
                                  })},
      {"UpdateMember",
       [&](const std::string& id) {
         auto request = By<pb::UpdateMemberRequest>("amina");
         request.mutable_member()->set_name(Name(id));
         request.add_update_mask("display_name");
         pb::WriteMemberResponse response;
         return Blotted(server_.members().UpdateMember(server_.Context().get(), request, &response), response, id);
       }},
      {"GetErasure",
       [&](const std::string& id) {
         auto request = By<pb::GetErasureRequest>("amina");
         request.set_name("pools/p/erasures/" + id);
         pb::Erasure response;
         return Blotted(server_.members().GetErasure(server_.Context().get(), request, &response), response, id);
       }},
      {"ListConnections of them",
       [&](const std::string& id) {
         auto request = By<pb::ListConnectionsRequest>("amina");
         request.set_parent("pools/p");
         request.set_member(Name(id));
         pb::ListConnectionsResponse response;
         return Blotted(server_.members().ListConnections(server_.Context().get(), request, &response), response, id);
       }},
      {"ListNeeds",
       [&](const std::string& id) {
         auto request = By<pb::ListNeedsRequest>("amina");
         request.set_parent("pools/p");
         request.set_seeker(Name(id));
         pb::ListNeedsResponse response;
         return Blotted(server_.needs().ListNeeds(server_.Context().get(), request, &response), response, id);
       }},
      {"List introductions",
       [&](const std::string& id) {
         auto request = By<pb::ListIntroductionsRequest>("amina");
         request.set_parent("pools/p");
         request.set_member(Name(id));
         pb::ListIntroductionsResponse response;
         return Blotted(asks().List(server_.Context().get(), request, &response), response, id);
       }},
      {"Watch members",
       [&](const std::string& id) {
         auto request = By<pb::WatchMembersRequest>("amina");
         request.set_parent("pools/p");
         request.set_member(Name(id));
         const auto context = server_.Context();
         auto stub = server_.members();
         return Blotted(stub.Watch(context.get(), request)->Finish(), pb::MemberEvent(), id);
       }},
      {"Need of them",
       [&](const std::string& id) {
         auto request = By<pb::CreateNeedRequest>("amina");
         request.set_parent("pools/p");
         *request.mutable_need() = NeedOf(id, {"skill:sql"});
         request.set_request_id(FreshId());
         pb::WriteNeedResponse response;
         return Blotted(server_.needs().CreateNeed(server_.Context().get(), request, &response), response, id);
       }},
      {"Need that excludes them",
       [&](const std::string& id) {
         auto request = By<pb::CreateNeedRequest>("amina");
         request.set_parent("pools/p");
         *request.mutable_need() = NeedOf("amina", {"skill:sql"});
         request.mutable_need()->mutable_constraints()->add_exclude_members(Name(id));
         request.set_validate_only(true);
         request.set_need_id("same");
         request.set_request_id(FreshId());
         pb::WriteNeedResponse response;
         return Blotted(server_.needs().CreateNeed(server_.Context().get(), request, &response), response, id);
       }},
      {"Match for them",
       [&](const std::string& id) {
         auto request = By<pb::MatchRequest>("amina");
         request.set_parent("pools/p");
         *request.mutable_inline_need() = NeedOf(id, {"skill:sql"});
         pb::MatchResponse response;
         return Blotted(server_.matches().Match(server_.Context().get(), request, &response), response, id);
       }},
      {"Explain",
       [&](const std::string& id) {
         auto request = By<pb::ExplainRequest>("amina");
         request.set_parent("pools/p");
         *request.mutable_inline_need() = NeedOf("amina", {"skill:sql"});
         request.set_helper(Name(id));
         pb::ExplainResponse response;
         return Blotted(server_.matches().Explain(server_.Context().get(), request, &response), response, id);
       }},
      {"Review",
       [&](const std::string& id) {
         pb::ReviewResponse response;
         return Blotted(asks().Review(server_.Context().get(), Ask("amina", {id}), &response), response, id);
       }},
      {"Request",
       [&](const std::string& id) {
         pb::WriteIntroductionResponse response;
         return Blotted(asks().Request(server_.Context().get(), Ask("amina", {id}), &response), response, id);
       }},
      {"Confirm", [&](const std::string& id) { return Confirm("amina", id); }},
      {"Disconnect", [&](const std::string& id) { return Disconnect("amina", id); }},
      {"Unblock", [&](const std::string& id) { return Unblock(id); }},
      {"Connect, validate only", [&](const std::string& id) { return Connect(id, true); }},
      {"Explain as JSON",
       [&](const std::string& id) {
         httplib::Client client("127.0.0.1", server_.server().ops_port());
         const nlohmann::json body = {
             {"actor", {{"audience", "SEEKER"}, {"actingMember", Name("amina")}}},
             {"parent", "pools/p"},
             {"inlineNeed",
              {{"seeker", Name("amina")}, {"helpKinds", {"ADVICE"}}, {"interests", {{{"interest", "skill:sql"}}}}}},
             {"helper", Name(id)}};
         std::string token = TextOf(server_.directory() + "/operator.token");
         while (!token.empty() && token.back() == '\n') token.pop_back();
         const auto response =
             client.Post("/warmline.v1.MatchService/Explain", httplib::Headers{{"Authorization", "Bearer " + token}},
                         body.dump(), "application/json");
         EXPECT_TRUE(response);
         EXPECT_EQ(response->status, 404) << response->body;
         return Blotted(response->body, id);
       }},
  };
  for (const auto& [name, probe] : probes) {
    const std::string not_there = probe(kNotThere);
    EXPECT_EQ(not_there.find(kNotThere), std::string::npos);
    for (const std::string& id : There()) EXPECT_EQ(probe(id), not_there) << name << " of " << id;
  }
}

TEST_F(Oracles, AProposalIsTheSameToWhoIsThereBlocksDeclinesAndIsNot) {
  std::map<std::string, std::vector<std::string>> told;
  std::map<std::string, std::int64_t> rows;
  std::vector<std::string> ids = There();
  ids.emplace_back(kNotThere);
  for (const std::string& id : ids) {
    const std::int64_t before = OwnWrite();
    auto& all = told[id];
    all.push_back(Connect(id, false));
    all.push_back(Connect(id, false));  // again
    all.push_back(Ties("amina", id));
    all.push_back(Confirm("amina", id));
    // What the other side does with it, where there is one: nothing of it comes back.
    if (id == "henry") EXPECT_THAT(Ties("henry", "-"), HasSubstr("PENDING"));
    if (id == "henry") EXPECT_THAT(Disconnect("henry", id), HasSubstr("0\n\n"));
    if (id == "carla") {
      pb::CreateBlockRequest block = By<pb::CreateBlockRequest>("carla");
      block.set_parent("pools/p");
      block.mutable_block()->set_blocker(Name("carla"));
      block.mutable_block()->set_blocked(Name("amina"));
      pb::WriteBlockResponse response;
      EXPECT_TRUE(server_.members().CreateBlock(server_.Context().get(), block, &response).ok());
    }
    if (id != kNotThere && id != "linda") {  // who blocks or declines sees nothing of it any longer
      EXPECT_EQ(Ties(id, "-").find("amina~" + id), std::string::npos) << id;
      EXPECT_THAT(Confirm(id, id), HasSubstr("CONNECTION_NOT_FOUND"));
      EXPECT_THAT(Disconnect(id, id), HasSubstr("CONNECTION_NOT_FOUND"));
    }
    all.push_back(Ties("amina", id));
    all.push_back(Connect(id, false));
    const std::int64_t between = OwnWrite();
    all.push_back(Disconnect("amina", id));
    all.push_back(Disconnect("amina", id));
    all.push_back(Ties("amina", id));
    rows[id] = OwnWrite() - between + (id == "linda" || id == kNotThere ? between - before : 0);
  }
  for (const std::string& id : There()) EXPECT_EQ(told[id], told[kNotThere]) << id;
  EXPECT_EQ(rows["linda"], rows[kNotThere]);  // as many rows of the change log
  EXPECT_EQ(rows["henry"], rows["greta"]);
  EXPECT_THAT(told[kNotThere][0], HasSubstr("PENDING"));
  EXPECT_EQ(told[kNotThere][0].find("unseen"), std::string::npos);
  EXPECT_THAT(told[kNotThere][1], HasSubstr("CONNECTION_EXISTS"));
}

TEST_F(Oracles, ABlockIsTheSameOfWhoIsThereAndWhoIsNot) {
  std::map<std::string, std::vector<std::string>> told;
  std::map<std::string, std::int64_t> rows;
  std::vector<std::string> ids = There();
  ids.emplace_back(kNotThere);
  for (const std::string& id : ids) {
    const std::int64_t before = OwnWrite();
    auto& all = told[id];
    for (int i = 0; i < 2; ++i) all.push_back(Block(id));
    all.push_back(Blocks(id));
    all.push_back(Connect(id, false));  // with whom one blocks
    for (int i = 0; i < 2; ++i) all.push_back(Unblock(id));
    all.push_back(Blocks(id));
    rows[id] = OwnWrite() - before;
  }
  for (const std::string& id : There()) {
    EXPECT_EQ(told[id], told[kNotThere]) << id;
    EXPECT_EQ(rows[id], rows[kNotThere]) << id;
  }
  EXPECT_THAT(told[kNotThere][3], HasSubstr("whom you block"));
}

TEST_F(Oracles, AProposalAndABlockWaitForWhoIsYetToCome) {
  EXPECT_THAT(Connect(kNotThere, false), HasSubstr("PENDING"));
  server_.Import({HelperRow(kNotThere, {"skill:sql"}), HelperRow("nobel", {"skill:sql"})});
  EXPECT_THAT(Ties(kNotThere, "-"), HasSubstr("proposed_by: \"pools/p/members/amina\""));
  EXPECT_THAT(Confirm(kNotThere, kNotThere), HasSubstr("CONFIRMED"));
  EXPECT_THAT(Block("later"), HasSubstr("0\n\n"));
  server_.Import({HelperRow("later", {"skill:sql"})});
  const pb::MatchResponse before = Match("amina");
  for (const auto& match : before.matches()) EXPECT_NE(match.helper(), Name("later"));
  server_.Restart();
  const pb::MatchResponse after = Match("amina");
  for (const auto& match : after.matches()) EXPECT_NE(match.helper(), Name("later"));
}

}  // namespace
}  // namespace warmline::testing
