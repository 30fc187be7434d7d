// ErasureWorld::Answers: what the API says.
#include <gtest/gtest.h>

#include "support/erasure_world.h"

namespace warmline::testing {
namespace {

constexpr char kInterest[] = "skill:sql";

template <typename Request>
Request Of(const pb::Actor& actor) {
  Request request;
  *request.mutable_actor() = actor;
  return request;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ErasureWorld::Answers() {
  std::vector<std::pair<std::string, std::string>> answers;
  const auto keep = [&](const std::string& what, const grpc::Status& status, const std::string& bytes) {
    EXPECT_TRUE(status.ok()) << what << ": " << status.error_message();
    answers.emplace_back("the API: " + what, bytes);
  };
  for (const char* prefix : {"", "skill:", "z"}) {
    auto request = Of<pb::SuggestInterestsRequest>(Operator());
    request.set_parent("pools/p");
    request.set_prefix(prefix);
    request.set_limit(100);
    pb::SuggestInterestsResponse response;
    const auto status = matches_->SuggestInterests(context_().get(), request, &response);
    keep("SuggestInterests", status, response.DebugString());
  }
  grpc::Status status;
  auto members = Of<pb::ListMembersRequest>(Operator());
  members.set_parent("pools/p");
  pb::ListMembersResponse listed;
  status = members_->ListMembers(context_().get(), members, &listed);
  keep("ListMembers", status, listed.DebugString());
  auto needs = Of<pb::ListNeedsRequest>(Operator());
  needs.set_parent("pools/p");
  pb::ListNeedsResponse all_needs;
  status = needs_->ListNeeds(context_().get(), needs, &all_needs);
  keep("ListNeeds", status, all_needs.DebugString());
  auto asks = Of<pb::ListIntroductionsRequest>(Operator());
  asks.set_parent("pools/p");
  pb::ListIntroductionsResponse all_asks;
  status = asks_->List(context_().get(), asks, &all_asks);
  keep("ListIntroductions", status, all_asks.DebugString());
  auto health = Of<pb::GetMarketHealthRequest>(Operator());
  health.set_name("pools/p");
  pb::MarketHealth market;
  status = pools_->GetMarketHealth(context_().get(), health, &market);
  keep("GetMarketHealth", status, market.DebugString());
  auto match = Of<pb::MatchRequest>(Operator());
  match.set_parent("pools/p");
  *match.mutable_inline_need() = NeedOf("sam", {kInterest});
  match.set_count_rules(true);
  pb::MatchResponse matches;
  status = matches_->Match(context_().get(), match, &matches);
  keep("Match", status, matches.DebugString());
  auto everything = Of<pb::ExportRequest>(Operator());
  everything.set_parent("pools/p");
  const auto context = context_();
  const auto reader = members_->Export(context.get(), everything);
  pb::ExportResponse rows;
  std::string exported;
  while (reader->Read(&rows)) exported += rows.DebugString();
  status = reader->Finish();
  keep("Export", status, exported);
  return answers;
}

}  // namespace warmline::testing
