// The state machine of introductions, who sees what, and what a message is compared by.
#include "domain/introduction.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "domain/introduction_moves.h"
#include "domain/introduction_visibility.h"
#include "domain/message_sketch.h"

namespace warmline::domain {
namespace {

using ::testing::HasSubstr;
using S = IntroductionState;

constexpr Mover kMovers[] = {Mover::kSeeker, Mover::kIntroducer, Mover::kHelper, Mover::kPool};

TEST(Moves, EveryMoveOfEveryMoverInEveryStateIsInTheTableOrRefused) {
  int legal = 0;
  for (int s = 0; s < kIntroductionStates; ++s) {
    for (int m = 0; m < kMoves; ++m) {
      for (const Mover mover : kMovers) {
        const auto state = static_cast<S>(s);
        const auto move = static_cast<Move>(m);
        const Transition* expected = nullptr;
        for (const Transition& t : Transitions()) {
          const bool same = t.from == state && t.move == move && (t.movers & static_cast<std::uint8_t>(mover)) != 0;
          if (!same) continue;
          EXPECT_EQ(expected, nullptr) << StateName(state) << " " << MoveName(move);
          expected = &t;
        }
        const auto next = Next(state, move, mover);
        if (expected != nullptr) {
          ++legal;
          ASSERT_TRUE(next.ok());
          EXPECT_EQ(*next, expected->to);
          continue;
        }
        ASSERT_FALSE(next.ok());
        EXPECT_EQ(ReasonOf(next.status()), ErrorReason::kMoveNotAllowed);
        EXPECT_THAT(std::string(next.status().message()), HasSubstr(StateName(state)));
        for (const Move other : LegalMoves(state, mover))
          EXPECT_THAT(std::string(next.status().message()), HasSubstr(MoveName(other)));
      }
    }
  }
  EXPECT_EQ(legal, 35);  // of 576
}

TEST(Moves, EveryStateIsReachedAndOnlyEndsHaveNoWayOut) {
  std::set<S> reached = {S::kDrafted};
  for (int round = 0; round < kIntroductionStates; ++round) {
    for (const Transition& t : Transitions()) {
      if (reached.contains(t.from)) reached.insert(t.to);
    }
  }
  EXPECT_EQ(reached.size(), static_cast<std::size_t>(kIntroductionStates - 1));
  for (const S state : reached) {
    Introduction introduction;
    introduction.state = state;
    bool leaves = false;
    for (const Transition& t : Transitions()) leaves = leaves || (t.from == state && t.to != state);
    EXPECT_EQ(leaves, !introduction.HasEnded()) << StateName(state);
  }
}

TEST(Moves, TheDiagramNamesEveryTransition) {
  const std::string diagram = MovesDiagram();
  for (const Transition& t : Transitions()) {
    EXPECT_THAT(diagram,
                HasSubstr(absl::StrCat(StateName(t.from), " --> ", StateName(t.to), ": ", MoveName(t.move), " (")));
  }
}

TEST(Visibility, NobodyIsRevealedBeforeTheirTurn) {
  Introduction in;
  in.seeker = "amina";
  in.introducer = "bo";
  in.helper = "carla";
  in.masked = true;
  EXPECT_EQ(ViewerOf(in, "amina"), Viewer::kSeeker);
  EXPECT_EQ(ViewerOf(in, "bo"), Viewer::kNobody);  // a draft
  in.ask_time = absl::UnixEpoch();
  in.state = S::kAwaitingIntroducer;
  EXPECT_EQ(ViewerOf(in, "bo"), Viewer::kIntroducer);
  EXPECT_EQ(ViewerOf(in, "carla"), Viewer::kNobody);
  EXPECT_EQ(ViewerOf(in, "dina"), Viewer::kNobody);
  EXPECT_EQ(ViewerOf(in, ""), Viewer::kNobody);
  // Whoever the introducer turned away never reached the helper.
  in.state = S::kDeclined;
  EXPECT_EQ(ViewerOf(in, "carla"), Viewer::kNobody);
  EXPECT_TRUE(Sees(Viewer::kIntroducer, IntroductionField::kDeclineNote, in));
  in.forward_time = absl::UnixEpoch();
  EXPECT_EQ(ViewerOf(in, "carla"), Viewer::kHelper);
  EXPECT_FALSE(Sees(Viewer::kIntroducer, IntroductionField::kDeclineNote, in));
  EXPECT_TRUE(Sees(Viewer::kHelper, IntroductionField::kDeclineNote, in));
  for (int s = 1; s < kIntroductionStates; ++s) {
    in.state = static_cast<S>(s);
    const bool consented = in.state == S::kAccepted || in.state == S::kConcluded;
    EXPECT_EQ(Sees(Viewer::kSeeker, IntroductionField::kHelper, in), consented) << StateName(in.state);
  }
  in.masked = false;
  in.state = S::kAwaitingHelper;
  EXPECT_TRUE(Sees(Viewer::kSeeker, IntroductionField::kHelper, in));
}

TEST(Visibility, TheTableAsItIsDocumented) {
  // Field by field: seeker, introducer, helper, operator.
  constexpr Shown kNo = Shown::kNever;
  constexpr Shown kYes = Shown::kAlways;
  const std::vector<std::vector<Shown>> expected = {{kYes, kYes, kYes, kYes},
                                                    {Shown::kAfterConsent, kYes, kYes, kYes},
                                                    {kYes, kYes, kYes, kYes},
                                                    {kYes, kNo, kYes, kYes},
                                                    {kNo, kYes, kYes, kYes},
                                                    {kYes, kNo, kYes, kYes},
                                                    {kNo, Shown::kByDecliner, Shown::kByDecliner, kYes},
                                                    {kYes, kNo, kYes, kYes},
                                                    {kNo, kNo, kNo, kYes}};
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(kIntroductionFields));
  for (std::size_t f = 0; f < expected.size(); ++f) {
    const auto field = static_cast<IntroductionField>(f);
    EXPECT_EQ(ShownTo(Viewer::kNobody, field), kNo);
    for (std::size_t v = 0; v < 4; ++v) EXPECT_EQ(ShownTo(static_cast<Viewer>(v + 1), field), expected[f][v]) << f << v;
  }
}

TEST(Sketch, ATextWithAWordChangedIsNearAndAnotherOneIsFar) {
  const std::string text =
      "Hello Ingrid, I retrained as a data engineer after twelve years as a nurse, and built a small pipeline for "
      "clinic rosters. Could you look at my résumé before I send it to the hospital group next week?";
  std::string renamed = text;
  renamed.replace(renamed.find("Ingrid"), 6, "Bastian");
  const std::string other =
      "Dear Joost, we met at the climbing hall in Utrecht. Your team is hiring welders, and I have just passed my "
      "certificate; would you have a quarter of an hour to tell me what the work is like on the yards?";
  EXPECT_EQ(MessageSketch(text), MessageSketch("  HELLO ingrid -- " + text.substr(14)));
  EXPECT_LE(SketchDistance(MessageSketch(text), MessageSketch(renamed)), 10);
  EXPECT_GT(SketchDistance(MessageSketch(text), MessageSketch(other)), 14);
  // Scripts without spaces are compared by characters.
  const std::string chinese =
      "您好，我做了十二年的护士，现在转行做数据工程师，想请您看看我的简历，下周要交给医院集团。";
  std::string one_changed = chinese;
  one_changed.replace(one_changed.find("十二"), 6, "十三");
  EXPECT_LE(SketchDistance(MessageSketch(chinese), MessageSketch(one_changed)), 10);
  EXPECT_EQ(MessageSketch(""), 0U);
}

TEST(Introduction, WhatIsDueNext) {
  Introduction in;
  EXPECT_FALSE(in.Due().has_value());
  in.state = S::kAwaitingHelper;
  in.expire_time = absl::FromUnixSeconds(300);
  in.week_until = absl::FromUnixSeconds(200);
  EXPECT_EQ(in.Due(), absl::FromUnixSeconds(200));
  in.week_until.reset();
  EXPECT_EQ(in.Due(), absl::FromUnixSeconds(300));
  in.state = S::kDeclined;
  EXPECT_FALSE(in.Due().has_value());
  in.cool_until = absl::FromUnixSeconds(400);
  EXPECT_EQ(in.Due(), absl::FromUnixSeconds(400));
  EXPECT_TRUE(in.Bars());
}

TEST(Introduction, UrgencyOnlyShortens) {
  IntroductionRules rules;
  absl::Duration before = absl::InfiniteDuration();
  for (const Urgency u : {Urgency::kLow, Urgency::kNormal, Urgency::kHigh, Urgency::kImmediate}) {
    EXPECT_LE(TimeToAnswer(rules, u), before);
    before = TimeToAnswer(rules, u);
  }
  rules.expiry[static_cast<std::size_t>(Urgency::kImmediate)] = absl::Hours(24 * 60);  // by mistake
  EXPECT_EQ(TimeToAnswer(rules, Urgency::kImmediate), rules.expiry[static_cast<std::size_t>(Urgency::kHigh)]);
}

TEST(Introduction, OppositeReportsAreADispute) {
  Introduction in;
  in.outcomes = {{Audience::kHelper, OutcomeKind::kHelped, "", {}}};
  EXPECT_FALSE(in.IsDisputed());
  in.outcomes.push_back({Audience::kSeeker, OutcomeKind::kInterview, "", {}});
  EXPECT_FALSE(in.IsDisputed());
  in.outcomes.back().kind = OutcomeKind::kNotHelpful;
  EXPECT_TRUE(in.IsDisputed());
}

TEST(Documentation, ShowsTheTablesAsTheyAre) {
  std::ifstream file(std::string(std::getenv("WARMLINE_SOURCE")) + "/docs/introductions.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find(MovesDiagram()), std::string::npos) << "docs/introductions.md must show:\n" << MovesDiagram();
  EXPECT_NE(text.find(VisibilityTable()), std::string::npos) << "docs/introductions.md must show:\n"
                                                             << VisibilityTable();
}

}  // namespace
}  // namespace warmline::domain
