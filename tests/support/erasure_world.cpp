#include "support/erasure_world.h"

#include <gtest/gtest.h>

#include "warmline/v1/assignment_service.grpc.pb.h"

namespace warmline::testing {
namespace {

constexpr char kInterest[] = "skill:sql";

// A message that shares no words with another, and no marker.
std::string Plain(int number) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "word" + std::to_string(number * 1000 + i) + " ";
  return text;
}

template <typename Request>
Request Of(const pb::Actor& actor) {
  Request request;
  *request.mutable_actor() = actor;
  return request;
}

}  // namespace

ErasureWorld::ErasureWorld(std::shared_ptr<grpc::Channel> channel, MakeContext context, Markers& markers)
    : channel_(std::move(channel)),
      context_(std::move(context)),
      markers_(markers),
      victim_("m-" + markers.Make("id of the member")),
      need_("n-" + markers.Make("id of the need")),
      pools_(pb::PoolService::NewStub(channel_)),
      members_(pb::MemberService::NewStub(channel_)),
      needs_(pb::NeedService::NewStub(channel_)),
      matches_(pb::MatchService::NewStub(channel_)),
      asks_(pb::IntroductionService::NewStub(channel_)) {}

void ErasureWorld::Live() {
  MakePool();
  for (const char* id : {"helga", "hugo", "hans", "bo", "carla", "sam", "sue"}) Join(id, std::string(id) == "bo");
  MakeVictim();
  TieAndBlock();
  Need();
  AskAsSeeker();
  BeAsked();
  IntroduceOthers();
  ImportAboutVictim();
  Assign();
  AskToRead();
}

void ErasureWorld::MakePool() {
  auto request = Of<pb::CreatePoolRequest>(Operator());
  request.mutable_pool()->set_name("pools/p");
  request.mutable_pool()->set_display_name("P");
  request.mutable_pool()->mutable_policy()->mutable_introductions()->set_seeker_open_asks(100);
  request.mutable_pool()->mutable_policy()->mutable_introductions()->set_seeker_asks_per_week(100);
  request.set_request_id(FreshId());
  pb::WritePoolResponse response;
  const auto status = pools_->CreatePool(context_().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

void ErasureWorld::Join(const std::string& id, bool introduces) {
  auto request = Of<pb::CreateMemberRequest>(Operator());
  request.set_parent("pools/p");
  request.set_member_id(id);
  *request.mutable_member() = HelperRow(id, {kInterest}).member();
  request.mutable_member()->clear_name();
  request.mutable_member()->mutable_offer()->mutable_capacity()->set_open_asks(50);
  request.mutable_member()->mutable_offer()->mutable_capacity()->set_asks_per_week(50);
  request.mutable_member()->mutable_offer()->set_confirmation(pb::VOUCHED);
  request.mutable_member()->set_introduces(introduces);
  request.set_request_id(FreshId());
  pb::WriteMemberResponse response;
  auto stub = pb::MemberService::NewStub(channel_);
  ASSERT_TRUE(stub->CreateMember(context_().get(), request, &response).ok());
  auto confirm = Of<pb::ConfirmOfferRequest>(Operator());
  confirm.set_name(Name(id));
  ASSERT_TRUE(stub->ConfirmOffer(context_().get(), confirm, &response).ok());
}

// A helper who is asked for the interest that all have, and for one of their own.
pb::Member ErasureWorld::Profile() {
  pb::Member member = HelperRow(victim_, {kInterest}).member();
  member.clear_display_name();
  member.add_interests();
  member.set_introduces(true);
  member.mutable_offer()->add_places("de/berlin");
  member.mutable_offer()->add_places("de/" + markers_.Make("Offer.places"));
  member.mutable_offer()->add_seeker_interests(kInterest);
  member.mutable_offer()->add_seeker_interests("Skill:" + markers_.Make("Offer.seeker_interests"));
  return member;
}

void ErasureWorld::MakeVictim() {
  auto request = Of<pb::CreateMemberRequest>(Operator());
  request.set_parent("pools/p");
  request.set_member_id(victim_);
  *request.mutable_member() = Profile();
  request.mutable_member()->clear_name();
  // Fill leaves lists with entries alone: these rules are counted by an offer that has none.
  pb::Offer bare;
  markers_.Fill(bare);
  *request.mutable_member()->mutable_offer()->mutable_places() = bare.places();
  markers_.Fill(request);
  pb::WriteMemberResponse response;
  auto status = members_->CreateMember(context_().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  auto confirm = Of<pb::ConfirmOfferRequest>(Acting(pb::HELPER, victim_));
  confirm.set_name(Name(victim_));
  status = members_->ConfirmOffer(context_().get(), confirm, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  // The same again gets the reply that was kept.
  status = members_->CreateMember(context_().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

void ErasureWorld::ChangeProfile() {
  auto request = Of<pb::UpdateMemberRequest>(Operator());
  *request.mutable_member() = Profile();
  request.mutable_member()->set_name(Name(victim_));
  markers_.Fill(request);
  for (const char* field : {"display_name", "interests", "offer", "conflict_keys", "introduces"})
    request.add_update_mask(field);
  pb::WriteMemberResponse response;
  auto status = members_->UpdateMember(context_().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message() << (ViolationsOf(status).empty() ? "" : ViolationsOf(status)[0]);
}

void ErasureWorld::TieAndBlock() {
  for (const char* other : {"helga", "bo", "sam", "carla"}) {
    auto request = Of<pb::CreateConnectionRequest>(Acting(pb::SEEKER, victim_));
    request.set_parent("pools/p");
    request.mutable_connection()->set_member_a(Name(victim_));
    request.mutable_connection()->set_member_b(Name(other));
    request.mutable_connection()->set_strength(0.9);
    markers_.Fill(request);
    pb::WriteConnectionResponse response;
    auto status = members_->CreateConnection(context_().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    if (std::string(other) == "helga") continue;  // stays as it was proposed
    auto confirm = Of<pb::ConfirmConnectionRequest>(Acting(pb::SEEKER, other));
    confirm.set_name(response.connection().name());
    status = members_->ConfirmConnection(context_().get(), confirm, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  const auto block = [&](const std::string& blocker, const std::string& blocked, bool undo) {
    auto request = Of<pb::CreateBlockRequest>(Acting(pb::SEEKER, blocker));
    request.set_parent("pools/p");
    request.mutable_block()->set_blocker(Name(blocker));
    request.mutable_block()->set_blocked(Name(blocked));
    pb::WriteBlockResponse response;
    auto status = members_->CreateBlock(context_().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    if (!undo) return;
    auto gone = Of<pb::DeleteBlockRequest>(Acting(pb::SEEKER, blocker));
    gone.set_name(response.block().name());
    pb::DeleteResponse deleted;
    ASSERT_TRUE(members_->DeleteBlock(context_().get(), gone, &deleted).ok());
  };
  block(victim_, "hans", false);
  block("sue", victim_, false);
  block(victim_, "sue", true);
}

void ErasureWorld::Need() {
  for (int i = 0; i < 2; ++i) {
    auto request = Of<pb::CreateNeedRequest>(Acting(pb::SEEKER, victim_));
    request.set_parent("pools/p");
    request.set_need_id(i == 0 ? need_ : "n-" + markers_.Make("id of a closed need"));
    *request.mutable_need() = NeedOf(victim_, {kInterest});
    request.mutable_need()->add_interests();
    request.mutable_need()->mutable_showcase();
    request.mutable_need()->mutable_constraints()->add_exclude_members(Name("hans"));
    request.mutable_need()->mutable_constraints()->set_remote_ok(true);
    markers_.Fill(request);
    pb::WriteNeedResponse response;
    auto status = needs_->CreateNeed(context_().get(), request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message() << (ViolationsOf(status).empty() ? "" : ViolationsOf(status)[0]);
    auto update = Of<pb::UpdateNeedRequest>(Acting(pb::SEEKER, victim_));
    update.mutable_need()->set_name(response.need().name());
    update.mutable_need()->mutable_showcase();
    markers_.Fill(update);
    update.add_update_mask("showcase");
    status = needs_->UpdateNeed(context_().get(), update, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    if (i == 0) continue;
    auto close = Of<pb::CloseNeedRequest>(Acting(pb::SEEKER, victim_));
    close.set_name(response.need().name());
    close.set_reason(pb::FOUND_WORK);
    ASSERT_TRUE(needs_->CloseNeed(context_().get(), close, &response).ok());
  }
  // Somebody else does not want them.
  auto other = Of<pb::CreateNeedRequest>(Acting(pb::SEEKER, "sue"));
  other.set_parent("pools/p");
  other.set_need_id("of-sue");
  other.set_request_id(FreshId());
  *other.mutable_need() = NeedOf("sue", {kInterest});
  other.mutable_need()->mutable_constraints()->add_exclude_members(Name(victim_));
  other.mutable_need()->mutable_constraints()->add_exclude_members(Name("hans"));
  pb::WriteNeedResponse response;
  ASSERT_TRUE(needs_->CreateNeed(context_().get(), other, &response).ok());
}

std::string ErasureWorld::Ask(const std::string& seeker, const std::string& helper, bool filled,
                              const std::string& introducer) {
  static int number = 0;
  auto request = Of<pb::RequestRequest>(Acting(pb::SEEKER, seeker));
  request.set_parent("pools/p");
  *request.mutable_inline_need() = NeedOf(seeker, {kInterest});
  auto* target = request.add_targets();
  target->set_helper(Name(helper));
  if (!introducer.empty()) target->set_introducer(Name(introducer));
  if (filled) {
    request.mutable_inline_need()->add_interests();
    request.mutable_inline_need()->mutable_showcase();
    pb::AskTarget to;
    markers_.Fill(to);
    target->set_message(Plain(++number) + to.message());
    request.set_message(Plain(++number) + markers_.Make("RequestRequest.message"));
    pb::RequestRequest counted;
    markers_.Fill(counted);
    request.set_request_id(counted.request_id());
    markers_.Fill(request);
  } else {
    request.set_message(Plain(++number));
    request.set_request_id(FreshId());
  }
  pb::WriteIntroductionResponse response;
  const auto status = asks_->Request(context_().get(), request, &response);
  EXPECT_TRUE(status.ok()) << seeker << " asks " << helper << ": " << status.error_message()
                           << (ViolationsOf(status).empty() ? "" : ViolationsOf(status)[0]);
  return response.introduction().name();
}

void ErasureWorld::AskAsSeeker() {
  const std::string first = Ask(victim_, "carla", true);
  pb::WriteIntroductionResponse response;
  auto more = Of<pb::AskMoreRequest>(Acting(pb::HELPER, "carla"));
  more.set_name(first);
  markers_.Fill(more);
  auto status = asks_->AskMore(context_().get(), more, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  auto answer = Of<pb::AnswerMoreRequest>(Acting(pb::SEEKER, victim_));
  answer.set_name(first);
  markers_.Fill(answer);
  status = asks_->Answer(context_().get(), answer, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  auto accept = Of<pb::MoveIntroductionRequest>(Acting(pb::HELPER, "carla"));
  accept.set_name(first);
  status = asks_->Accept(context_().get(), accept, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  for (const auto& [audience, who] : {std::pair(pb::SEEKER, victim_), std::pair(pb::HELPER, std::string("carla"))}) {
    auto outcome = Of<pb::ReportOutcomeRequest>(Acting(audience, who));
    outcome.set_name(first);
    outcome.set_outcome(pb::HELPED);
    markers_.Fill(outcome);
    status = asks_->ReportOutcome(context_().get(), outcome, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    auto abuse = Of<pb::ReportAbuseRequest>(Acting(audience, who));
    abuse.set_name(first);
    markers_.Fill(abuse);
    status = asks_->ReportAbuse(context_().get(), abuse, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  auto resolve = Of<pb::ResolveReportRequest>(Operator());
  resolve.set_name(first);
  resolve.set_member(Name(victim_));
  status = asks_->ResolveReport(context_().get(), resolve, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  const std::string second = Ask(victim_, "hugo", true);
  auto decline = Of<pb::DeclineIntroductionRequest>(Acting(pb::HELPER, "hugo"));
  decline.set_name(second);
  markers_.Fill(decline);
  status = asks_->Decline(context_().get(), decline, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

void ErasureWorld::BeAsked() {
  const std::string asked = Ask("hugo", victim_, true);
  pb::WriteIntroductionResponse response;
  auto decline = Of<pb::DeclineIntroductionRequest>(Acting(pb::HELPER, victim_));
  decline.set_name(asked);
  markers_.Fill(decline);
  const auto status = asks_->Decline(context_().get(), decline, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  (void)Ask("helga", victim_, true);  // stays open
}

void ErasureWorld::IntroduceOthers() {
  const std::string through = Ask("sam", "carla", false, victim_);
  pb::WriteIntroductionResponse response;
  auto forward = Of<pb::ForwardIntroductionRequest>(Acting(pb::INTRODUCER, victim_));
  forward.set_name(through);
  markers_.Fill(forward);
  auto status = asks_->Forward(context_().get(), forward, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  auto abuse = Of<pb::ReportAbuseRequest>(Acting(pb::INTRODUCER, victim_));
  abuse.set_name(through);
  markers_.Fill(abuse);
  status = asks_->ReportAbuse(context_().get(), abuse, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

void ErasureWorld::ImportAboutVictim() {
  pb::ImportResponse response;
  const auto context = context_();
  const auto writer = members_->Import(context.get(), &response);
  auto request = Of<pb::ImportRequest>(Operator());
  request.set_parent("pools/p");
  request.set_vouch(true);
  *request.add_rows()->mutable_member() = Profile();
  *request.add_rows() = TieRow(victim_, "hugo");
  auto* block = request.add_rows()->mutable_block();
  block->set_blocker(Name(victim_));
  block->set_blocked(Name("hans"));
  auto* need = request.add_rows()->mutable_need();
  *need = NeedOf(victim_, {kInterest});
  need->set_name("pools/p/needs/n-" + markers_.Make("id of an imported need"));
  need->mutable_constraints()->set_remote_ok(true);
  need->mutable_showcase();
  markers_.Fill(request);
  writer->Write(request);
  writer->WritesDone();
  const auto status = writer->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.refused(), 0) << response.refused_rows(0).reason();
}

void ErasureWorld::Assign() {
  auto request = Of<pb::AssignRequest>(Operator());
  request.set_parent("pools/p");
  request.add_needs("pools/p/needs/" + need_);
  markers_.Fill(request);
  const auto context = context_();
  const auto stub = pb::AssignmentService::NewStub(channel_);
  const auto reader = stub->Assign(context.get(), request);
  pb::AssignResponse response;
  while (reader->Read(&response)) continue;
  const auto status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

// Reads are kept nowhere, but might be in a log.
void ErasureWorld::AskToRead() {
  auto suggest = Of<pb::SuggestInterestsRequest>(Operator());
  suggest.set_parent("pools/p");
  markers_.Fill(suggest);
  pb::SuggestInterestsResponse suggestions;
  auto status = matches_->SuggestInterests(context_().get(), suggest, &suggestions);
  EXPECT_TRUE(status.ok()) << status.error_message();
  auto match = Of<pb::MatchRequest>(Acting(pb::SEEKER, victim_));
  match.set_parent("pools/p");
  match.set_need("pools/p/needs/" + need_);
  pb::MatchResponse matches;
  status = matches_->Match(context_().get(), match, &matches);
  EXPECT_TRUE(status.ok()) << status.error_message();
  // And a write that is refused.
  auto wrong = Of<pb::CreateMemberRequest>(Operator());
  wrong.set_parent("pools/p");
  wrong.set_member_id("/" + markers_.Make("an id that is refused"));
  pb::WriteMemberResponse response;
  EXPECT_FALSE(members_->CreateMember(context_().get(), wrong, &response).ok());
}

void ErasureWorld::CountStatistics() {
  auto request = Of<pb::RefreshStatisticsRequest>(Operator());
  request.set_name("pools/p");
  pb::WritePoolResponse response;
  const auto status = pools_->RefreshStatistics(context_().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

pb::Erasure ErasureWorld::Erase() {
  auto request = Of<pb::EraseMemberRequest>(Operator());
  request.set_name(Name(victim_));
  pb::Erasure erasure;
  const auto status = members_->EraseMember(context_().get(), request, &erasure);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return erasure;
}

pb::Erasure ErasureWorld::Erasure(const std::string& name) {
  auto request = Of<pb::GetErasureRequest>(Operator());
  request.set_name(name);
  pb::Erasure erasure;
  const auto status = members_->GetErasure(context_().get(), request, &erasure);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return erasure;
}

}  // namespace warmline::testing
