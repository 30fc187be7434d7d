// What may be wished of a cohort over gRPC: a stable choice, fixed pairs, conflicts, what changed, and a proof that the
// client checks.
#include "cli/assign_proof.h"
#include "support/assign_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string LastPart(const std::string& name) { return name.substr(name.rfind('/') + 1); }

// What every need could have: score, and by the two parts that differ from need to need, what helpers think.
struct Side {
  std::map<std::pair<std::string, std::string>, std::int64_t> of_need;
  std::map<std::pair<std::string, std::string>, std::int64_t> of_helper;
};

TEST_F(Assign, AStableChoiceHasNoBlockingPairAmongAllPairs) {
  constexpr int kSeekers = 40;
  MakeCohort(kSeekers, 25, 11);
  Side side;
  for (int i = 0; i < kSeekers; ++i) {
    pb::MatchRequest match;
    *match.mutable_actor() = Operator();
    match.set_parent("pools/p");
    match.set_need("pools/p/needs/n" + std::to_string(i));
    match.set_top_k(100);
    pb::MatchResponse response;
    ASSERT_TRUE(server_.matches().Match(server_.Context().get(), match, &response).ok());
    for (const auto& m : response.matches()) {
      side.of_need[{match.need(), m.helper()}] = m.score();
      std::int64_t shared = 0;
      for (const auto& reason : m.reasons()) {
        if (reason.part() == pb::INTERESTS || reason.part() == pb::CLOSENESS) shared += reason.contribution();
      }
      side.of_helper[{match.need(), m.helper()}] = shared;
    }
  }
  bool widened = false;
  for (const bool helpers_propose : {false, true}) {
    std::optional<std::map<std::string, std::string>> same;
    for (const int top_k : {1, 3, 100}) {
      auto request = OnPaper(top_k);
      request.set_mode(pb::AssignRequest::STABLE);
      request.set_helpers_propose(helpers_propose);
      const Answer answer = Run(request);
      ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
      widened = widened || answer.summary.rounds() > 1;
      EXPECT_TRUE(answer.summary.proved());
      std::map<std::string, std::string> helper_of;
      std::map<std::string, std::vector<std::string>> needs_of;
      for (const auto& pair : answer.pairs) {
        if (pair.place() != pb::AssignedPair::MATCHED) continue;
        helper_of[pair.need()] = pair.helper();
        needs_of[pair.helper()].push_back(pair.need());
      }
      EXPECT_EQ(static_cast<std::int64_t>(helper_of.size()), answer.summary.matched());
      // The best stable choice for seekers does not depend on how many candidates were looked at.
      if (!same) same = helper_of;
      if (!helpers_propose) EXPECT_EQ(helper_of, *same) << top_k;
      for (const auto& [pair, score] : side.of_need) {
        const auto& [need, helper] = pair;
        const auto has = helper_of.find(need);
        if (has != helper_of.end() && side.of_need.at({need, has->second}) >= score) continue;
        pb::GetMemberRequest get;
        *get.mutable_actor() = Operator();
        get.set_name(helper);
        pb::Member member;
        ASSERT_TRUE(server_.members().GetMember(server_.Context().get(), get, &member).ok());
        const auto& theirs = needs_of[helper];
        const auto& capacity = member.offer().capacity();
        EXPECT_GE(static_cast<int>(theirs.size()), std::min(capacity.open_asks(), capacity.asks_per_week()))
            << need << " and " << helper << " have a place left";
        for (const std::string& other : theirs)
          EXPECT_GE(side.of_helper.at({other, helper}), side.of_helper.at(pair)) << need << " and " << helper;
      }
      std::cout << (helpers_propose ? "helpers" : "seekers") << " propose, top_k " << top_k << ": "
                << answer.summary.rounds() << " rounds, " << answer.summary.pairs_looked_at() << " pairs, "
                << answer.summary.matched() << " matched\n";
    }
  }
  EXPECT_TRUE(widened);
}

TEST_F(Assign, AClientChecksTheProofAndFindsWhatWasChanged) {
  MakeCohort(40, 30, 7);
  for (const bool floor : {false, true}) {
    auto request = OnPaper(2);
    request.set_proof(true);
    request.set_floor(floor);
    const Answer answer = Run(request);
    ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
    const auto check = [&](const std::function<void(pb::AssignProof&)>& change, const pb::AssignSummary& summary) {
      cli::AssignProof proof;
      for (pb::AssignProof part : answer.proof) {
        change(part);
        proof.Add(part);
      }
      return proof.Check(request, summary, 0, 0);
    };
    EXPECT_TRUE(check([](pb::AssignProof&) {}, answer.summary).ok()) << check([](pb::AssignProof&) {}, answer.summary);
    pb::AssignSummary better = answer.summary;
    better.set_score_sum(better.score_sum() + 1);
    EXPECT_FALSE(check([](pb::AssignProof&) {}, better).ok());
    const auto spoiled = [&](const std::function<void(pb::AssignProof&)>& change) {
      return !check(change, answer.summary).ok();
    };
    EXPECT_TRUE(spoiled([](pb::AssignProof& part) { part.mutable_helpers(0)->set_places(0); }));
    EXPECT_TRUE(spoiled([](pb::AssignProof& part) {
      auto& stage = *part.mutable_stages(part.stages_size() - 1);
      stage.set_helper_prices(0, stage.helper_prices(0) + (std::int64_t{1} << 40));
    }));
    EXPECT_TRUE(spoiled([](pb::AssignProof& part) {
      for (auto& stage : *part.mutable_stages()) {
        if (stage.chosen_size() > 0) stage.set_chosen(0, stage.chosen(0) + 1);
      }
    }));
    EXPECT_TRUE(spoiled([](pb::AssignProof& part) {
      for (auto& need : *part.mutable_needs()) need.set_bound(1 << 30);
    }));
  }
}

TEST_F(Assign, FixedPairsTakeTheirPlacesAndConflictsAreNeverChosen) {
  MakeCohort(12, 8, 21);
  const Answer free = Run(OnPaper());
  ASSERT_TRUE(free.status.ok()) << free.status.error_message();
  ASSERT_FALSE(free.Of("n0").helper().empty());
  ASSERT_FALSE(free.Of("n1").second_choice().empty());
  auto request = OnPaper();
  const auto add = [](pb::NeedAndHelper* pair, const std::string& need, const std::string& helper) {
    pair->set_need("pools/p/needs/" + need);
    pair->set_helper(helper);
  };
  // n1 gets the second choice whatever it costs, and n0 anybody but whom they had.
  add(request.add_fixed(), "n1", free.Of("n1").second_choice());
  add(request.add_forbidden(), "n0", free.Of("n0").helper());
  for (const auto& pair : free.pairs) {
    if (!pair.helper().empty())
      add(request.add_previous(), pair.need().substr(pair.need().rfind('/') + 1), pair.helper());
  }
  request.set_proof(true);
  const Answer answer = Run(request);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.Of("n1").place(), pb::AssignedPair::FIXED);
  EXPECT_EQ(answer.Of("n1").helper(), free.Of("n1").second_choice());
  EXPECT_EQ(answer.Of("n1").change(), pb::AssignedPair::MOVED);
  EXPECT_NE(answer.Of("n0").helper(), free.Of("n0").helper());
  EXPECT_NE(answer.Of("n0").change(), pb::AssignedPair::SAME);
  EXPECT_LE(answer.summary.score_sum(), free.summary.score_sum());
  std::int64_t moved = 0;
  std::map<std::string, int> places;
  for (const auto& pair : answer.pairs) {
    moved += pair.change() == pb::AssignedPair::MOVED || pair.change() == pb::AssignedPair::LOST ? 1 : 0;
    EXPECT_EQ(
        pair.change() == pb::AssignedPair::SAME,
        !pair.helper().empty() && pair.helper() == free.Of(pair.need().substr(pair.need().rfind('/') + 1)).helper());
    if (!pair.helper().empty()) ++places[pair.helper()];
  }
  EXPECT_EQ(answer.summary.moved(), moved);
  EXPECT_GE(moved, 2);
  for (const auto& [helper, count] : places) {
    pb::GetMemberRequest get;
    *get.mutable_actor() = Operator();
    get.set_name(helper);
    pb::Member member;
    ASSERT_TRUE(server_.members().GetMember(server_.Context().get(), get, &member).ok());
    EXPECT_LE(count, member.offer().capacity().open_asks());
  }
  cli::AssignProof proof;
  for (const auto& part : answer.proof) proof.Add(part);
  EXPECT_TRUE(proof.Check(request, answer.summary, 1, answer.Of("n1").score()).ok());
}

TEST_F(Assign, WhatCameLooseIsAssignedAgainAndTheRestIsKept) {
  MakeCohort(8, 10, 3);
  const Answer first = Run(ForReal());
  ASSERT_TRUE(first.status.ok()) << first.status.error_message();
  ASSERT_GT(first.summary.matched(), 2);
  std::vector<const pb::AssignedPair*> asked;
  for (const auto& pair : first.pairs) {
    if (!pair.introduction().empty()) asked.push_back(&pair);
  }
  const auto status = Decline(pb::HELPER, LastPart(asked[0]->helper()), asked[0]->introduction());
  ASSERT_TRUE(status.ok()) << status.error_message();
  auto again = ForReal();
  again.set_message(MessageNumber(2));
  const Answer second = Run(again);
  ASSERT_TRUE(second.status.ok()) << second.status.error_message();
  EXPECT_EQ(second.summary.kept(), first.summary.matched() - 1);
  for (std::size_t i = 1; i < asked.size(); ++i) {
    const pb::AssignedPair& kept = second.Of(LastPart(asked[i]->need()));
    EXPECT_EQ(kept.place(), pb::AssignedPair::KEPT);
    EXPECT_EQ(kept.helper(), asked[i]->helper());
    EXPECT_EQ(kept.introduction(), asked[i]->introduction());
  }
  // Cooling down: whoever declined is not asked again.
  EXPECT_NE(second.Of(LastPart(asked[0]->need())).helper(), asked[0]->helper());
}

// More needs than one page of the store has, and than one message of the answer.
TEST_F(Assign, ReadsEveryNeedOfALargePool) {
  constexpr int kNeeds = 1'050;
  std::vector<pb::Row> rows{HelperRow("hana", {"skill:sql"})};
  for (int i = 0; i < kNeeds; ++i) {
    rows.push_back(SeekerRow("s" + std::to_string(i)));
    pb::Row need;
    *need.mutable_need() = NeedOf("s" + std::to_string(i), {"skill:sql"});
    need.mutable_need()->set_name("pools/p/needs/n" + std::to_string(i));
    rows.push_back(std::move(need));
  }
  server_.Import(rows);
  const Answer answer = Run(OnPaper());
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.summary.needs(), kNeeds);
  EXPECT_EQ(answer.pairs.size(), static_cast<std::size_t>(kNeeds));
}

TEST_F(Assign, RefusesModesThatDoNotGoTogetherAndPairsThatCannotBe) {
  server_.Import({SeekerRow("a"), SeekerRow("b"), HelperRow("hana", {"skill:sql"}), HelperRow("ivo", {"skill:c"})});
  MakeNeed("na", "a", {"skill:sql"});
  MakeNeed("nb", "b", {"skill:sql"});
  auto request = OnPaper();
  request.set_mode(pb::AssignRequest::STABLE);
  request.set_floor(true);
  request.set_proof(true);
  EXPECT_THAT(ViolationsOf(Run(request).status),
              ElementsAre("floor: is of mode OPTIMAL: take it away, or choose that mode",
                          "proof: is of mode OPTIMAL: take it away, or choose that mode"));
  request = OnPaper();
  request.set_seed(3);
  EXPECT_THAT(ViolationsOf(Run(request).status), ElementsAre(HasSubstr("seed: is of mode STABLE")));
  const auto fix = [&](const std::string& need, const std::string& helper) {
    pb::NeedAndHelper* pair = request.add_fixed();
    pair->set_need("pools/p/needs/" + need);
    pair->set_helper("pools/p/members/" + helper);
  };
  request = OnPaper();
  fix("na", "ivo");
  EXPECT_THAT(ViolationsOf(Run(request).status), ElementsAre(HasSubstr("fixed[0].helper: members/ivo cannot")));
  request = OnPaper();
  fix("na", "hana");
  fix("na", "hana");
  EXPECT_THAT(ViolationsOf(Run(request).status), ElementsAre(HasSubstr("fixed[1].need: needs/na stands there twice")));
  request = OnPaper();
  fix("none", "hana");
  EXPECT_THAT(ViolationsOf(Run(request).status), ElementsAre(HasSubstr("is not among the open needs")));
  request = OnPaper();
  fix("na", "nobody");
  EXPECT_EQ(ReasonOf(Run(request).status), "MEMBER_NOT_FOUND");
  pb::Row one = HelperRow("hana", {"skill:sql"});
  one.mutable_member()->mutable_offer()->mutable_capacity()->set_open_asks(1);
  server_.Import({one});
  request = OnPaper();
  fix("na", "hana");
  fix("nb", "hana");
  EXPECT_THAT(ViolationsOf(Run(request).status), ElementsAre(HasSubstr("members/hana stands there 2 times and has 1")));
}

}  // namespace
}  // namespace warmline::testing
