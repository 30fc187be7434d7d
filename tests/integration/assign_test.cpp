// A cohort over gRPC: the same optimum as with every pair at hand, however few candidates are fetched at first; asks
// for all or for none.
#include "assignment/plan.h"
#include "support/assign_fixture.h"

namespace warmline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The oracle fetches every pair that there is.
TEST_F(Assign, ReachesTheOptimumOfTheFullProblemFromFewCandidates) {
  constexpr int kSeekers = 40;
  constexpr int kHelpers = 30;
  MakeCohort(kSeekers, kHelpers, 7);
  assignment::Problem all;
  std::map<std::string, std::int32_t> helpers;
  std::vector<std::string> needs;
  for (int i = 0; i < kSeekers; ++i) needs.push_back("n" + std::to_string(i));
  std::sort(needs.begin(), needs.end());
  std::vector<std::map<std::string, std::int64_t>> scores;
  for (const std::string& need : needs) {
    pb::MatchRequest match;
    *match.mutable_actor() = Operator();
    match.set_parent("pools/p");
    match.set_need("pools/p/needs/" + need);
    match.set_top_k(100);
    pb::MatchResponse response;
    ASSERT_TRUE(server_.matches().Match(server_.Context().get(), match, &response).ok());
    auto& of_need = scores.emplace_back();
    for (const auto& m : response.matches()) {
      of_need[m.helper()] = m.score();
      helpers[m.helper()] = 0;
    }
  }
  for (auto& [name, number] : helpers) {
    number = static_cast<std::int32_t>(all.helper_capacity.size());
    pb::GetMemberRequest get;
    *get.mutable_actor() = Operator();
    get.set_name(name);
    pb::Member member;
    ASSERT_TRUE(server_.members().GetMember(server_.Context().get(), get, &member).ok());
    all.helper_capacity.push_back(
        std::min(member.offer().capacity().open_asks(), member.offer().capacity().asks_per_week()));
  }
  all.seeker_capacity.assign(kSeekers, 1);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (const auto& [name, score] : scores[i])
      all.pairs.push_back({static_cast<std::int32_t>(i), helpers[name], score});
  }
  bool widened = false;
  bool fewer = false;
  for (const assignment::PlanOptions& options : {assignment::PlanOptions{true, false}, {true, true}, {false, false}}) {
    const auto oracle = assignment::MakePlan(all, options);
    ASSERT_TRUE(oracle.ok());
    for (const int top_k : {1, 2, 5, 100}) {
      auto request = OnPaper(top_k);
      request.set_best_sum(!options.everybody_first);
      request.set_floor(options.floor);
      const Answer answer = Run(request);
      ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
      EXPECT_EQ(answer.summary.score_sum(), oracle->sum) << top_k;
      EXPECT_EQ(answer.summary.matched(), oracle->seekers);
      if (options.floor) EXPECT_EQ(answer.summary.floor(), *oracle->floor);
      EXPECT_TRUE(answer.summary.proved());
      ASSERT_EQ(answer.pairs.size(), static_cast<std::size_t>(kSeekers));
      std::int64_t sum = 0;
      std::map<std::string, int> used;
      for (std::size_t i = 0; i < answer.pairs.size(); ++i) {
        const auto& pair = answer.pairs[i];
        EXPECT_EQ(pair.need(), "pools/p/needs/" + needs[i]);
        if (pair.place() != pb::AssignedPair::MATCHED) continue;
        EXPECT_EQ(pair.score(), scores[i].at(pair.helper()));
        sum += pair.score();
        EXPECT_LE(++used[pair.helper()], all.helper_capacity[static_cast<std::size_t>(helpers[pair.helper()])]);
      }
      EXPECT_EQ(sum, oracle->sum);
      widened = widened || answer.summary.rounds() > 1;
      fewer = fewer || answer.summary.pairs_looked_at() < static_cast<std::int64_t>(all.pairs.size());
      std::cout << "top_k " << top_k << ": " << answer.summary.rounds() << " rounds, "
                << answer.summary.pairs_looked_at() << " of " << all.pairs.size() << " candidate pairs ("
                << answer.summary.pairs_possible() << " possible)\n";
    }
  }
  EXPECT_TRUE(widened);
  EXPECT_TRUE(fewer);
}

TEST_F(Assign, AsksEverybodyOnceAndARetryMakesNoMore) {
  MakeCohort(6, 8, 3);
  const auto request = ForReal();
  const Answer answer = Run(request);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_GT(answer.summary.matched(), 0);
  EXPECT_FALSE(answer.summary.revision().empty());
  pb::ListIntroductionsRequest list;
  *list.mutable_actor() = Operator();
  list.set_parent("pools/p");
  pb::ListIntroductionsResponse listed;
  ASSERT_TRUE(asks().List(server_.Context().get(), list, &listed).ok());
  EXPECT_EQ(listed.introductions_size(), answer.summary.matched());
  std::map<std::string, const pb::Introduction*> by_name;
  for (const auto& i : listed.introductions()) by_name[i.name()] = &i;
  for (const auto& pair : answer.pairs) {
    if (pair.place() != pb::AssignedPair::MATCHED) continue;
    ASSERT_TRUE(by_name.contains(pair.introduction()));
    EXPECT_EQ(by_name[pair.introduction()]->helper(), pair.helper());
    EXPECT_EQ(by_name[pair.introduction()]->state(), pb::AWAITING_HELPER);
  }
  const Answer again = Run(request);
  ASSERT_TRUE(again.status.ok()) << again.status.error_message();
  EXPECT_EQ(again.summary.SerializeAsString(), answer.summary.SerializeAsString());
  ASSERT_EQ(again.pairs.size(), answer.pairs.size());
  for (std::size_t i = 0; i < again.pairs.size(); ++i)
    EXPECT_EQ(again.pairs[i].SerializeAsString(), answer.pairs[i].SerializeAsString());
  ASSERT_TRUE(asks().List(server_.Context().get(), list, &listed).ok());
  EXPECT_EQ(listed.introductions_size(), answer.summary.matched());
  auto other = request;
  other.set_min_score(1);
  EXPECT_EQ(ReasonOf(Run(other).status), "REQUEST_ID_REUSED");
}

TEST_F(Assign, WhenOneAskIsRefusedNoneIsMade) {
  MakeCohort(4, 6, 5);
  // One of the seekers has used up what they may ask.
  SetRules([](pb::IntroductionRules& rules) { rules.set_seeker_asks_per_week(1); });
  server_.Import({HelperRow("other", {"skill:sql"})});
  MustSend(Ask("s2", {"other"}, MessageNumber(9)));
  const Answer answer = Run(ForReal());
  EXPECT_EQ(ReasonOf(answer.status), "SEEKER_BUDGET_SPENT") << answer.status.error_message();
  EXPECT_THAT(answer.status.error_message(), HasSubstr("needs/n2"));
  EXPECT_TRUE(answer.pairs.empty());
  pb::ListIntroductionsRequest list;
  *list.mutable_actor() = Operator();
  list.set_parent("pools/p");
  pb::ListIntroductionsResponse listed;
  ASSERT_TRUE(asks().List(server_.Context().get(), list, &listed).ok());
  EXPECT_EQ(listed.introductions_size(), 1);
}

TEST_F(Assign, SaysWhoIsLeftOutAndWhy) {
  server_.Import({SeekerRow("a"), SeekerRow("b"), SeekerRow("c"), HelperRow("hana", {"skill:sql"})});
  pb::Row one = HelperRow("hana", {"skill:sql"});
  one.mutable_member()->mutable_offer()->mutable_capacity()->set_open_asks(1);
  server_.Import({one});
  MakeNeed("na", "a", {"skill:sql"});
  MakeNeed("nb", "b", {"skill:sql"});
  MakeNeed("nc", "c", {"skill:nobody-has-this"});
  const Answer answer = Run(OnPaper());
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  std::vector<pb::AssignedPair::Place> places;
  for (const auto& pair : answer.pairs) places.push_back(pair.place());
  std::sort(places.begin(), places.end());
  EXPECT_THAT(places, ElementsAre(pb::AssignedPair::MATCHED, pb::AssignedPair::NO_PAIR, pb::AssignedPair::OUTBID));
}

TEST_F(Assign, RefusesWrongRequests) {
  server_.Import({SeekerRow("a"), SeekerRow("b")});
  MakeNeed("one", "a", {"skill:sql"});
  MakeNeed("two", "a", {"skill:go"});
  auto request = OnPaper(5'000);
  request.set_floor(true);
  request.set_best_sum(true);
  EXPECT_THAT(ViolationsOf(Run(request).status),
              ElementsAre("floor: is set beside best_sum: choose one of the two",
                          "top_k: 5000 is out of range: give 1 to 1000, or 0 for 20"));
  request = OnPaper();
  request.add_needs("pools/p/needs/one");
  request.add_needs("pools/p/needs/two");
  EXPECT_THAT(ViolationsOf(Run(request).status), ElementsAre(HasSubstr("keep one")));
  request = OnPaper();
  request.add_needs("pools/p/needs/none");
  EXPECT_EQ(ReasonOf(Run(request).status), "NEED_NOT_FOUND");
  request = OnPaper();
  *request.mutable_actor() = Acting(pb::SEEKER, "a");
  EXPECT_EQ(Run(request).status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  request = ForReal();
  request.clear_message();
  request.clear_request_id();
  EXPECT_EQ(ViolationsOf(Run(request).status).size(), 2U);
  request = OnPaper();
  request.set_parent("pools/none");
  EXPECT_EQ(ReasonOf(Run(request).status), "POOL_NOT_FOUND");
  EXPECT_EQ(Run(OnPaper()).status.error_code(), grpc::StatusCode::OK);
}

}  // namespace
}  // namespace warmline::testing
