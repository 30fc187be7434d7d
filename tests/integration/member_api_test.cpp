// MemberService, NeedService and PoolService over gRPC: writes, retries, permissions, import, export, erasure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MemberApi : public ::testing::Test {
 protected:
  void SetUp() override { server_.CreatePool(); }

  grpc::Status Create(const std::string& id, const std::string& request_id, pb::WriteMemberResponse* response,
                      const pb::Actor& actor = Operator(), bool validate_only = false) {
    pb::CreateMemberRequest request;
    *request.mutable_actor() = actor;
    request.set_parent("pools/p");
    *request.mutable_member() = HelperRow(id, {"skill:sql"}).member();
    request.set_request_id(request_id);
    request.set_validate_only(validate_only);
    return server_.members().CreateMember(server_.Context().get(), request, response);
  }
  grpc::Status Get(const std::string& id, pb::Member* member, const pb::Actor& actor = Operator()) {
    pb::GetMemberRequest request;
    *request.mutable_actor() = actor;
    request.set_name("pools/p/members/" + id);
    return server_.members().GetMember(server_.Context().get(), request, member);
  }
  TestServer server_;
};

TEST_F(MemberApi, ARetryGetsTheFirstReply) {
  pb::WriteMemberResponse first;
  ASSERT_TRUE(Create("ada", "request-0001", &first).ok());
  pb::WriteMemberResponse again;
  ASSERT_TRUE(Create("ada", "request-0001", &again).ok());
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
  EXPECT_EQ(ReasonOf(Create("bob", "request-0001", &again)), "REQUEST_ID_REUSED");
  EXPECT_EQ(ReasonOf(Create("ada", "request-0002", &again)), "MEMBER_EXISTS");
  EXPECT_THAT(ViolationsOf(Create("eve", "short", &again)),
              ElementsAre(HasSubstr("request_id: \"short\" has 5 characters")));
}

TEST_F(MemberApi, ADryRunKeepsNothing) {
  pb::WriteMemberResponse response;
  ASSERT_TRUE(Create("ada", "request-0001", &response, Operator(), true).ok());
  EXPECT_EQ(response.member().name(), "pools/p/members/ada");
  pb::Member member;
  EXPECT_EQ(ReasonOf(Get("ada", &member)), "MEMBER_NOT_FOUND");
  ASSERT_TRUE(Create("ada", "request-0001", &response).ok());
}

TEST_F(MemberApi, AMemberWritesTheirOwnRecordOnly) {
  server_.Import({HelperRow("ada", {"skill:sql"}), HelperRow("bob", {"skill:sql"})});
  const auto update = [&](const pb::Actor& actor, const std::string& id, const std::string& field,
                          const std::string& etag = "") {
    pb::UpdateMemberRequest request;
    *request.mutable_actor() = actor;
    *request.mutable_member() = HelperRow(id, {"skill:python"}).member();
    request.mutable_member()->set_name("pools/p/members/" + id);
    request.mutable_member()->set_etag(etag);
    request.add_update_mask(field);
    pb::WriteMemberResponse response;
    return server_.members().UpdateMember(server_.Context().get(), request, &response);
  };
  EXPECT_TRUE(update(Acting(pb::HELPER, "ada"), "ada", "interests").ok());
  EXPECT_EQ(ReasonOf(update(Acting(pb::HELPER, "ada"), "bob", "interests")), "ACTING_MEMBER_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(update(Acting(pb::HELPER, "ada"), "ada", "evidence")), "AUDIENCE_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(update(Operator(), "nobody", "interests")), "MEMBER_NOT_FOUND");
  EXPECT_THAT(ViolationsOf(update(Operator(), "ada", "etag")),
              Contains(HasSubstr("update_mask: \"etag\" cannot be updated")));
  EXPECT_EQ(ReasonOf(update(Operator(), "ada", "interests", "e1")), "ETAG_MISMATCH");
  pb::Member ada;
  ASSERT_TRUE(Get("ada", &ada).ok());
  EXPECT_TRUE(update(Operator(), "ada", "interests", ada.etag()).ok());
  pb::Member other;
  EXPECT_EQ(ReasonOf(Get("bob", &other, Acting(pb::SEEKER, "ada"))), "ACTING_MEMBER_NOT_ALLOWED");
  EXPECT_TRUE(Get("ada", &other, Acting(pb::SEEKER, "ada")).ok());
}

TEST_F(MemberApi, HelpersOptInThemselves) {
  pb::WriteMemberResponse created;
  ASSERT_TRUE(Create("ada", FreshId(), &created).ok());
  EXPECT_EQ(created.member().offer().confirmation(), pb::UNCONFIRMED);
  const auto confirm = [&](const pb::Actor& actor) {
    pb::ConfirmOfferRequest request;
    *request.mutable_actor() = actor;
    request.set_name("pools/p/members/ada");
    pb::WriteMemberResponse response;
    EXPECT_TRUE(server_.members().ConfirmOffer(server_.Context().get(), request, &response).ok());
    return response.member().offer().confirmation();
  };
  EXPECT_EQ(confirm(Operator()), pb::VOUCHED);
  EXPECT_EQ(confirm(Acting(pb::HELPER, "ada")), pb::SELF_CONFIRMED);
}

TEST_F(MemberApi, TiesAreConfirmedByTheOtherSide) {
  server_.Import({SeekerRow("ada"), SeekerRow("bob"), SeekerRow("eve")});
  pb::CreateConnectionRequest create;
  *create.mutable_actor() = Acting(pb::SEEKER, "bob");
  create.set_parent("pools/p");
  create.mutable_connection()->set_member_a("pools/p/members/bob");
  create.mutable_connection()->set_member_b("pools/p/members/ada");
  create.set_request_id(FreshId());
  pb::WriteConnectionResponse response;
  ASSERT_TRUE(server_.members().CreateConnection(server_.Context().get(), create, &response).ok());
  EXPECT_EQ(response.connection().name(), "pools/p/connections/ada~bob");
  EXPECT_EQ(response.connection().state(), pb::PENDING);
  const auto confirm = [&](const std::string& member) {
    pb::ConfirmConnectionRequest request;
    *request.mutable_actor() = Acting(pb::SEEKER, member);
    request.set_name("pools/p/connections/ada~bob");
    return server_.members().ConfirmConnection(server_.Context().get(), request, &response);
  };
  EXPECT_EQ(ReasonOf(confirm("bob")), "ACTING_MEMBER_NOT_ALLOWED");  // who proposed it
  EXPECT_EQ(ReasonOf(confirm("eve")), "ACTING_MEMBER_NOT_ALLOWED");
  ASSERT_TRUE(confirm("ada").ok());
  EXPECT_EQ(response.connection().state(), pb::CONFIRMED);
  create.set_request_id(FreshId());
  EXPECT_EQ(ReasonOf(server_.members().CreateConnection(server_.Context().get(), create, &response)),
            "CONNECTION_EXISTS");

  pb::CreateBlockRequest block;  // ends the tie
  *block.mutable_actor() = Acting(pb::SEEKER, "ada");
  block.set_parent("pools/p");
  block.mutable_block()->set_blocker("ada");
  block.mutable_block()->set_blocked("bob");
  pb::WriteBlockResponse blocked;
  ASSERT_TRUE(server_.members().CreateBlock(server_.Context().get(), block, &blocked).ok());
  pb::ListConnectionsRequest list;
  *list.mutable_actor() = Acting(pb::SEEKER, "bob");
  list.set_parent("pools/p");
  list.set_member("pools/p/members/bob");
  pb::ListConnectionsResponse ties;
  ASSERT_TRUE(server_.members().ListConnections(server_.Context().get(), list, &ties).ok());
  EXPECT_EQ(ties.connections_size(), 0);
  // A block is nobody's to see: bob's proposal is taken like any other, and ada does not see it.
  create.set_request_id(FreshId());
  ASSERT_TRUE(server_.members().CreateConnection(server_.Context().get(), create, &response).ok());
  EXPECT_EQ(response.connection().state(), pb::PENDING);
  ASSERT_TRUE(server_.members().ListConnections(server_.Context().get(), list, &ties).ok());
  EXPECT_EQ(ties.connections_size(), 1);
  *list.mutable_actor() = Acting(pb::SEEKER, "ada");
  list.set_member("pools/p/members/ada");
  ASSERT_TRUE(server_.members().ListConnections(server_.Context().get(), list, &ties).ok());
  EXPECT_EQ(ties.connections_size(), 0);
  EXPECT_EQ(ReasonOf(confirm("ada")), "CONNECTION_NOT_FOUND");
  *list.mutable_actor() = Operator();
  ASSERT_TRUE(server_.members().ListConnections(server_.Context().get(), list, &ties).ok());
  ASSERT_EQ(ties.connections_size(), 1);
  EXPECT_TRUE(ties.connections(0).unseen());
}

TEST_F(MemberApi, ImportKeepsGoodRowsAndNamesBadOnes) {
  pb::Row bad = HelperRow("bad", {"skill:sql"});
  bad.mutable_member()->mutable_interests(0)->set_strength(2);
  bad.mutable_member()->set_kind(static_cast<pb::MemberKind>(9));
  pb::Row wide = HelperRow("wide", {});
  for (int i = 0; i < 10'001; ++i) wide.mutable_member()->add_interests()->set_interest("skill:s" + std::to_string(i));
  pb::Row rtl = SeekerRow("rtl");
  rtl.mutable_member()->set_display_name("أمينة حداد");
  const auto response =
      server_.Import({SeekerRow("ada"), bad, wide, TieRow("ada", "nobody"), rtl, pb::Row(), TieRow("ada", "rtl")});
  EXPECT_EQ(response.rows(), 7);
  EXPECT_EQ(response.imported(), 3);
  ASSERT_EQ(response.refused_rows_size(), 4);
  EXPECT_EQ(response.refused_rows(0).row(), 1);
  ASSERT_EQ(response.refused_rows(0).violations_size(), 2);  // all at once: the unknown kind, and the strength
  EXPECT_EQ(response.refused_rows(0).violations(0).field(), "member.kind");
  EXPECT_EQ(response.refused_rows(0).violations(1).field(), "member.interests[0].strength");
  EXPECT_EQ(response.refused_rows(1).violations(0).field(), "member.interests");
  EXPECT_EQ(response.refused_rows(2).reason(), "MEMBER_NOT_FOUND");
  EXPECT_EQ(response.refused_rows(3).violations(0).field(), "row");
  pb::Member member;
  ASSERT_TRUE(Get("rtl", &member).ok());
  EXPECT_EQ(member.display_name(), "أمينة حداد");
}

TEST_F(MemberApi, ExportIsWhatImportTakes) {
  std::vector<pb::Row> rows = {SeekerRow("amina"), TieRow("amina", "h1")};
  for (int i = 0; i < 1'200; ++i) rows.insert(rows.begin(), HelperRow("h" + std::to_string(i), {"skill:sql"}));
  EXPECT_EQ(server_.Import(rows).refused(), 0);
  const auto export_rows = [&](const std::string& pool) {
    pb::ExportRequest request;
    *request.mutable_actor() = Operator();
    request.set_parent("pools/" + pool);
    auto stub = server_.members();
    const auto context = server_.Context();
    const auto reader = stub.Export(context.get(), request);
    std::vector<pb::Row> all;
    for (pb::ExportResponse page; reader->Read(&page);) all.insert(all.end(), page.rows().begin(), page.rows().end());
    EXPECT_TRUE(reader->Finish().ok());
    return all;
  };
  std::vector<pb::Row> first = export_rows("p");
  EXPECT_EQ(first.size(), 1'202U);
  server_.CreatePool("q");
  for (auto& row : first) {  // to another pool
    if (row.has_member()) row.mutable_member()->set_name(row.member().name().substr(sizeof("pools/p/members/") - 1));
    if (row.has_connection()) {
      row.mutable_connection()->set_member_a("amina");
      row.mutable_connection()->set_member_b("h1");
      row.mutable_connection()->clear_proposed_by();
    }
  }
  EXPECT_EQ(server_.Import(first, "q").refused(), 0);
  EXPECT_EQ(export_rows("q").size(), 1'202U);
}

TEST_F(MemberApi, ErasureRemovesFromRecordsIndexAndReplies) {
  server_.Import({SeekerRow("amina"), HelperRow("ingrid", {"skill:triage"}), TieRow("amina", "ingrid")});
  pb::EraseMemberRequest request;
  *request.mutable_actor() = Acting(pb::HELPER, "ingrid");
  request.set_name("pools/p/members/ingrid");
  pb::Erasure erasure;
  ASSERT_TRUE(server_.members().EraseMember(server_.Context().get(), request, &erasure).ok());
  EXPECT_FALSE(erasure.done());
  EXPECT_EQ(erasure.name().find("ingrid"), std::string::npos);
  pb::GetErasureRequest get;
  *get.mutable_actor() = Operator();
  get.set_name(erasure.name());
  pb::Erasure found;
  for (int i = 0; i < 3'000 && !found.done(); ++i) {
    ASSERT_TRUE(server_.members().GetErasure(server_.Context().get(), get, &found).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  erasure.set_done(true);
  EXPECT_EQ(found.SerializeAsString(), erasure.SerializeAsString());
  pb::MatchRequest match;
  *match.mutable_actor() = Operator();
  match.set_parent("pools/p");
  *match.mutable_inline_need() = NeedOf("amina", {"skill:triage"});
  match.set_min_revision(erasure.revision());
  pb::MatchResponse response;
  ASSERT_TRUE(server_.matches().Match(server_.Context().get(), match, &response).ok());
  EXPECT_EQ(response.candidates(), 0);
  EXPECT_EQ(ReasonOf(server_.members().EraseMember(server_.Context().get(), request, &erasure)), "MEMBER_NOT_FOUND");
  EXPECT_EQ(server_.Import({HelperRow("ingrid", {"skill:triage"})}).imported(), 1);  // the id is free again
  match.clear_min_revision();
  ASSERT_TRUE(server_.matches().Match(server_.Context().get(), match, &response).ok());
  EXPECT_EQ(response.candidates(), 1);
}

TEST_F(MemberApi, ListsArePagedByToken) {
  std::vector<pb::Row> rows;
  for (int i = 0; i < 25; ++i) rows.push_back(SeekerRow("m" + std::to_string(i)));
  server_.Import(rows);
  pb::ListMembersRequest request;
  *request.mutable_actor() = Operator();
  request.set_parent("pools/p");
  request.set_page_size(10);
  std::vector<std::string> names;
  do {
    pb::ListMembersResponse page;
    ASSERT_TRUE(server_.members().ListMembers(server_.Context().get(), request, &page).ok());
    for (const auto& member : page.members()) names.push_back(member.name());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(names.size(), 25U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  request.set_page_token("forged");
  request.set_page_size(1'001);
  pb::ListMembersResponse page;
  EXPECT_THAT(ViolationsOf(server_.members().ListMembers(server_.Context().get(), request, &page)),
              ElementsAre(HasSubstr("page_size: 1001"), HasSubstr("page_token: \"forged\"")));
}

TEST_F(MemberApi, NeedsAreUpdatedByTheirSeeker) {
  server_.Import({SeekerRow("amina")});
  pb::CreateNeedRequest create;
  *create.mutable_actor() = Acting(pb::SEEKER, "amina");
  create.set_parent("pools/p");
  *create.mutable_need() = NeedOf("amina", {"skill:triage"});
  create.set_request_id(FreshId());
  pb::WriteNeedResponse response;
  ASSERT_TRUE(server_.needs().CreateNeed(server_.Context().get(), create, &response).ok());
  pb::UpdateNeedRequest update;
  *update.mutable_actor() = Acting(pb::SEEKER, "amina");
  *update.mutable_need() = response.need();
  update.mutable_need()->set_urgency(pb::IMMEDIATE);
  update.add_update_mask("urgency");
  ASSERT_TRUE(server_.needs().UpdateNeed(server_.Context().get(), update, &response).ok());
  EXPECT_EQ(response.need().urgency(), pb::IMMEDIATE);
  EXPECT_EQ(ReasonOf(server_.needs().UpdateNeed(server_.Context().get(), update, &response)),
            "ETAG_MISMATCH");  // the etag is old now
  *update.mutable_actor() = Acting(pb::HELPER, "amina");
  EXPECT_EQ(ReasonOf(server_.needs().UpdateNeed(server_.Context().get(), update, &response)), "AUDIENCE_NOT_ALLOWED");
}

}  // namespace
}  // namespace warmline::testing
