// The state machine of introductions, as a table: who may do what in which state, and what becomes of it. The diagram
// in docs/introductions.md is drawn from this table (`MovesDiagram`). Pure; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "domain/types.h"

namespace warmline::domain {

enum class Move : std::uint8_t {
  kAskIntroducer,
  kAskHelper,
  kForward,
  kAccept,
  kDecline,
  kAskMore,
  kAnswer,
  kCancel,
  kReportOutcome,
  kExpire,
  kWithdraw,
  kBlock,
};
inline constexpr int kMoves = 12;

// Who makes a move. The pool itself makes those that follow from time, from leaving and from blocks.
enum class Mover : std::uint8_t { kSeeker = 1, kIntroducer = 2, kHelper = 4, kPool = 8 };

struct Transition {
  IntroductionState from = IntroductionState::kUnspecified;
  Move move = Move::kAskHelper;
  std::uint8_t movers = 0;  // bits of Mover
  IntroductionState to = IntroductionState::kUnspecified;
};

// All of them. Each (state, move) stands in it at most once; what is not in it is illegal.
[[nodiscard]] std::span<const Transition> Transitions();

// Where a move leads. Errors: FAILED_PRECONDITION (MOVE_NOT_ALLOWED), which names the moves that are legal for `mover`.
[[nodiscard]] absl::StatusOr<IntroductionState> Next(IntroductionState state, Move move, Mover mover);
// The moves that `mover` may make in a state, in the order of Move.
[[nodiscard]] std::vector<Move> LegalMoves(IntroductionState state, Mover mover);

// As in the API: "accept", "AWAITING_HELPER".
[[nodiscard]] const char* MoveName(Move move);
[[nodiscard]] const char* StateName(IntroductionState state);
// The table as a Mermaid state diagram.
[[nodiscard]] std::string MovesDiagram();

}  // namespace warmline::domain
