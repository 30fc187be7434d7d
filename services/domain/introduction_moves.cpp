#include "domain/introduction_moves.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <array>

#include "domain/error.h"

namespace warmline::domain {
namespace {

using S = IntroductionState;

constexpr std::uint8_t kSeeker = static_cast<std::uint8_t>(Mover::kSeeker);
constexpr std::uint8_t kIntroducer = static_cast<std::uint8_t>(Mover::kIntroducer);
constexpr std::uint8_t kHelper = static_cast<std::uint8_t>(Mover::kHelper);
constexpr std::uint8_t kPool = static_cast<std::uint8_t>(Mover::kPool);

constexpr Transition kTransitions[] = {
    // Sent at once, or when its turn comes.
    {S::kDrafted, Move::kAskIntroducer, kSeeker | kPool, S::kAwaitingIntroducer},
    {S::kDrafted, Move::kAskHelper, kSeeker | kPool, S::kAwaitingHelper},
    {S::kDrafted, Move::kCancel, kSeeker, S::kCancelled},
    {S::kDrafted, Move::kWithdraw, kPool, S::kWithdrawn},
    {S::kDrafted, Move::kBlock, kPool, S::kBlocked},
    {S::kAwaitingIntroducer, Move::kForward, kIntroducer, S::kAwaitingHelper},
    {S::kAwaitingIntroducer, Move::kDecline, kIntroducer, S::kDeclined},
    {S::kAwaitingIntroducer, Move::kCancel, kSeeker, S::kCancelled},
    {S::kAwaitingIntroducer, Move::kExpire, kPool, S::kExpired},
    {S::kAwaitingIntroducer, Move::kWithdraw, kPool, S::kWithdrawn},
    {S::kAwaitingIntroducer, Move::kBlock, kPool, S::kBlocked},
    {S::kAwaitingHelper, Move::kAccept, kHelper, S::kAccepted},
    {S::kAwaitingHelper, Move::kDecline, kHelper, S::kDeclined},
    {S::kAwaitingHelper, Move::kAskMore, kHelper, S::kAwaitingSeeker},
    {S::kAwaitingHelper, Move::kCancel, kSeeker, S::kCancelled},
    {S::kAwaitingHelper, Move::kExpire, kPool, S::kExpired},
    {S::kAwaitingHelper, Move::kWithdraw, kPool, S::kWithdrawn},
    {S::kAwaitingHelper, Move::kBlock, kPool, S::kBlocked},
    {S::kAwaitingSeeker, Move::kAnswer, kSeeker, S::kAwaitingHelper},
    // Nobody has to wait for an answer that is not needed any longer.
    {S::kAwaitingSeeker, Move::kAccept, kHelper, S::kAccepted},
    {S::kAwaitingSeeker, Move::kDecline, kHelper, S::kDeclined},
    {S::kAwaitingSeeker, Move::kCancel, kSeeker, S::kCancelled},
    {S::kAwaitingSeeker, Move::kExpire, kPool, S::kExpired},
    {S::kAwaitingSeeker, Move::kWithdraw, kPool, S::kWithdrawn},
    {S::kAwaitingSeeker, Move::kBlock, kPool, S::kBlocked},
    {S::kAccepted, Move::kReportOutcome, kSeeker | kHelper, S::kConcluded},
    {S::kAccepted, Move::kCancel, kSeeker, S::kCancelled},
    // Nobody said what came of it.
    {S::kAccepted, Move::kExpire, kPool, S::kConcluded},
    {S::kAccepted, Move::kWithdraw, kPool, S::kWithdrawn},
    {S::kAccepted, Move::kBlock, kPool, S::kBlocked},
    // The other side's report, or more that came of it: an interview, a job.
    {S::kConcluded, Move::kReportOutcome, kSeeker | kHelper, S::kConcluded},
};

constexpr std::array<const char*, kMoves> kMoveNames = {"ask-introducer", "ask-helper", "forward",  "accept",
                                                        "decline",        "ask-more",   "answer",   "cancel",
                                                        "report-outcome", "expire",     "withdraw", "block"};
constexpr std::array<const char*, kIntroductionStates> kStateNames = {"INTRODUCTION_STATE_UNSPECIFIED",
                                                                      "DRAFTED",
                                                                      "AWAITING_INTRODUCER",
                                                                      "AWAITING_HELPER",
                                                                      "AWAITING_SEEKER",
                                                                      "ACCEPTED",
                                                                      "CONCLUDED",
                                                                      "DECLINED",
                                                                      "EXPIRED",
                                                                      "CANCELLED",
                                                                      "WITHDRAWN",
                                                                      "BLOCKED"};

constexpr std::pair<std::uint8_t, const char*> kMoverNames[] = {
    {kSeeker, "seeker"}, {kIntroducer, "introducer"}, {kHelper, "helper"}, {kPool, "pool"}};

std::string MoverNames(std::uint8_t movers) {
  std::vector<std::string> names;
  for (const auto& [bit, name] : kMoverNames) {
    if ((movers & bit) != 0) names.emplace_back(name);
  }
  return absl::StrJoin(names, " or ");
}

const Transition* Find(IntroductionState state, Move move) {
  for (const Transition& t : kTransitions) {
    if (t.from == state && t.move == move) return &t;
  }
  return nullptr;
}

}  // namespace

std::span<const Transition> Transitions() { return kTransitions; }

absl::StatusOr<IntroductionState> Next(IntroductionState state, Move move, Mover mover) {
  const Transition* transition = Find(state, move);
  if (transition != nullptr && (transition->movers & static_cast<std::uint8_t>(mover)) != 0) return transition->to;
  std::vector<std::string> legal;
  for (const Move m : LegalMoves(state, mover)) legal.emplace_back(MoveName(m));
  const std::string who = MoverNames(static_cast<std::uint8_t>(mover));
  return MakeError(
      ErrorReason::kMoveNotAllowed,
      absl::StrCat(MoveName(move), " is not a move of the ", who, " while an introduction is ", StateName(state),
                   "; the moves of the ", who, " are now: ", legal.empty() ? "none" : absl::StrJoin(legal, ", ")));
}

std::vector<Move> LegalMoves(IntroductionState state, Mover mover) {
  std::vector<Move> moves;
  for (int m = 0; m < kMoves; ++m) {
    const Transition* t = Find(state, static_cast<Move>(m));
    if (t != nullptr && (t->movers & static_cast<std::uint8_t>(mover)) != 0) moves.push_back(t->move);
  }
  return moves;
}

const char* MoveName(Move move) { return kMoveNames[static_cast<std::size_t>(move)]; }
const char* StateName(IntroductionState state) { return kStateNames[static_cast<std::size_t>(state)]; }

std::string MovesDiagram() {
  std::string text = "stateDiagram-v2\n    [*] --> DRAFTED\n";
  for (const Transition& t : kTransitions) {
    absl::StrAppend(&text, "    ", StateName(t.from), " --> ", StateName(t.to), ": ", MoveName(t.move), " (",
                    MoverNames(t.movers), ")\n");
  }
  for (int s = 1; s < kIntroductionStates; ++s) {
    const auto state = static_cast<IntroductionState>(s);
    bool leaves = false;
    for (const Transition& t : kTransitions) leaves = leaves || (t.from == state && t.to != state);
    if (!leaves) absl::StrAppend(&text, "    ", StateName(state), " --> [*]\n");
  }
  return text;
}

}  // namespace warmline::domain
