#include "application/introduction_moves.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "application/activity.h"
#include "application/ask_rules.h"
#include "application/introduction_steps.h"
#include "application/members.h"
#include "application/outcome_evidence.h"
#include "application/pools.h"
#include "base/hash.h"
#include "domain/limits.h"
#include "domain/text.h"

namespace warmline::application {
namespace {

using domain::Introduction;
using domain::Move;
using domain::Mover;
using domain::Viewer;

std::string NewId(absl::Time now, const std::string& pool, const std::string& request_id, std::size_t position) {
  const std::uint64_t hash = base::Hash64(absl::StrCat(pool, "\n", request_id, "\n", position));
  return absl::StrCat(IntroductionIdAt(now), "-", absl::Hex(hash & 0xffffffffU, absl::kZeroPad8));
}

std::optional<Mover> MoverOf(Viewer viewer) {
  switch (viewer) {
    case Viewer::kSeeker:
      return Mover::kSeeker;
    case Viewer::kIntroducer:
      return Mover::kIntroducer;
    case Viewer::kHelper:
      return Mover::kHelper;
    default:
      return std::nullopt;
  }
}

// The audience must be the part that the member has in it.
bool IsInPart(const Caller& caller, Viewer viewer) {
  switch (viewer) {
    case Viewer::kSeeker:
      return caller.audience == domain::Audience::kSeeker;
    case Viewer::kIntroducer:
      return caller.audience == domain::Audience::kIntroducer;
    case Viewer::kHelper:
      return caller.audience == domain::Audience::kHelper;
    default:
      return false;
  }
}

absl::Status CheckNote(const std::string& text, const char* field, int max, bool required) {
  domain::Violations violations;
  domain::CheckText(text, field, max, required, true, violations);
  return violations.ToStatus();
}

// An introduction that the caller is about to move, the mover that they are, and the pool's rules.
struct Moving {
  SeenIntroduction seen;
  Mover mover = Mover::kPool;
  domain::IntroductionRules rules;
  domain::IntroductionState next = domain::IntroductionState::kUnspecified;
};

absl::StatusOr<Moving> Begin(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                             const MoveInput& input, Move move) {
  auto seen = FindIntroduction(tx, caller, pool, input.id);
  if (!seen.ok()) return seen.status();
  Moving moving;
  moving.seen = *std::move(seen);
  const auto mover = MoverOf(moving.seen.viewer);
  if (!mover) {
    return domain::MakeError(domain::ErrorReason::kAudienceNotAllowed,
                             absl::StrCat(domain::MoveName(move),
                                          " is made by the parties of an introduction: act as SEEKER, INTRODUCER or "
                                          "HELPER, for the member"));
  }
  moving.mover = *mover;
  if (auto status = RequireRevision(input.revision, moving.seen.introduction.revision); !status.ok()) return status;
  auto next = domain::Next(moving.seen.introduction.state, move, *mover);
  if (!next.ok()) return next.status();
  moving.next = *next;
  auto rules = RulesOf(tx, pool);
  if (!rules.ok()) return rules.status();
  moving.rules = *rules;
  return moving;
}

// The helper did something: silence is over.
void EndSilence(domain::Member& member, absl::Time now) {
  MarkActive(member, now);
  member.silent_asks = 0;
}

absl::StatusOr<SeenIntroduction> StoreWithHelper(WriteTransaction& tx, const std::string& pool, Moving& moving,
                                                 absl::Time now) {
  auto helper = FindMember(tx, pool, moving.seen.introduction.helper);
  if (!helper.ok()) return helper.status();
  EndSilence(*helper, now);
  if (auto put = tx.Put(pool, *helper); !put.ok()) return put.status();
  if (auto put = tx.Put(pool, moving.seen.introduction); !put.ok()) return put.status();
  return std::move(moving.seen);
}

}  // namespace

std::string IntroductionIdAt(absl::Time time) {
  return absl::StrCat("i", absl::Hex(absl::ToUnixMillis(time), absl::kZeroPad12));
}

absl::Status IntroductionNotFound(const std::string& pool, const std::string& id) {
  return domain::MakeError(domain::ErrorReason::kIntroductionNotFound,
                           absl::StrCat("pools/", pool, "/introductions/", id,
                                        " does not exist, or not for this member: check the name, and who acts"));
}

absl::StatusOr<SeenIntroduction> FindIntroduction(RecordReader& reader, const Caller& caller, const std::string& pool,
                                                  const std::string& id) {
  auto found = reader.GetIntroduction(pool, id);
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    if (auto status = RequirePool(reader, pool); !status.ok()) return status;
    return IntroductionNotFound(pool, id);
  }
  SeenIntroduction seen{**std::move(found), Viewer::kOperator};
  if (caller.IsOperator()) return seen;
  seen.viewer = domain::ViewerOf(seen.introduction, caller.member);
  if (!IsInPart(caller, seen.viewer)) return IntroductionNotFound(pool, id);
  return seen;
}

absl::StatusOr<Introduction> RequestIntroduction(WriteTransaction& tx, const std::string& pool, const AskPlan& plan,
                                                 const std::string& request_id, absl::Time now) {
  auto rules = RulesOf(tx, pool);
  if (!rules.ok()) return rules.status();
  auto asks = AsksOf(tx, pool, plan.seeker, now);
  if (!asks.ok()) return asks.status();
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    const PlannedTarget& target = plan.targets[i];
    if (i == 0) {
      auto refusals = RefusalsOf(tx, pool, target, *asks, *rules, now);
      if (!refusals.ok()) return refusals.status();
      if (!refusals->empty()) return ToError(refusals->front(), now);
      continue;
    }
    for (const auto& refusals :
         {MatchRefusals(target.is_match, target.blocked_by), MessageRefusals(target.draft, *asks, *rules, now)}) {
      if (!refusals.empty()) return ToError(refusals.front(), now);
    }
  }
  std::optional<Introduction> first;
  const std::string ask = NewId(now, pool, request_id, 0);
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    Introduction introduction = plan.targets[i].draft;
    introduction.id = NewId(now, pool, request_id, i);
    introduction.ask = ask;
    introduction.position = static_cast<std::int32_t>(i);
    introduction.create_time = now;
    if (i == 0) {
      if (auto status = Send(tx, pool, *rules, Mover::kSeeker, now, introduction); !status.ok()) return status;
      first = introduction;
    } else if (auto put = tx.Put(pool, introduction); !put.ok()) {
      return put.status();
    }
  }
  if (auto status = Touch(tx, pool, plan.seeker, now); !status.ok()) return status;
  return *std::move(first);
}

absl::StatusOr<SeenIntroduction> Forward(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                         const MoveInput& input, absl::Time now) {
  if (auto status = CheckNote(input.text, "note", domain::kMaxNoteCharacters, false); !status.ok()) return status;
  auto moving = Begin(tx, caller, pool, input, Move::kForward);
  if (!moving.ok()) return moving.status();
  Introduction& in = moving->seen.introduction;
  in.state = moving->next;
  in.introducer_note = input.text;
  in.forward_time = now;
  in.expire_time = now + domain::TimeToAnswer(moving->rules, in.urgency);
  auto introducer = FindMember(tx, pool, in.introducer);
  if (!introducer.ok()) return introducer.status();
  MarkActive(*introducer, now);
  if (auto put = tx.Put(pool, *introducer); !put.ok()) return put.status();
  if (auto put = tx.Put(pool, in); !put.ok()) return put.status();
  return std::move(moving->seen);
}

absl::StatusOr<SeenIntroduction> Accept(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                        const MoveInput& input, absl::Time now) {
  auto moving = Begin(tx, caller, pool, input, Move::kAccept);
  if (!moving.ok()) return moving.status();
  Introduction& in = moving->seen.introduction;
  in.state = moving->next;
  if (!in.answer_time) in.answer_time = now;
  in.expire_time = now + moving->rules.outcome_wait;
  if (auto status = DropDrafts(tx, pool, Move::kWithdraw, Mover::kPool, in.seeker, in.ask, now); !status.ok())
    return status;
  return StoreWithHelper(tx, pool, *moving, now);
}

absl::StatusOr<SeenIntroduction> Decline(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                         const MoveInput& input, absl::Time now) {
  if (auto status = CheckNote(input.text, "note", domain::kMaxDeclineNoteCharacters, false); !status.ok())
    return status;
  auto moving = Begin(tx, caller, pool, input, Move::kDecline);
  if (!moving.ok()) return moving.status();
  Introduction& in = moving->seen.introduction;
  in.decline_note = input.text;
  auto helper = FindMember(tx, pool, in.helper);
  if (!helper.ok()) return helper.status();
  if (moving->mover == Mover::kHelper) {
    if (!in.answer_time) in.answer_time = now;
    EndSilence(*helper, now);
  }
  if (auto status = End(tx, pool, Move::kDecline, moving->mover, moving->rules.cool_down, now, in, &*helper);
      !status.ok())
    return status;
  if (auto status = AskNext(tx, pool, moving->rules, in.seeker, in.ask, now); !status.ok()) return status;
  return std::move(moving->seen);
}

absl::StatusOr<SeenIntroduction> AskMore(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                         const MoveInput& input, absl::Time now) {
  if (auto status = CheckNote(input.text, "question", domain::kMaxQuestionCharacters, true); !status.ok())
    return status;
  auto moving = Begin(tx, caller, pool, input, Move::kAskMore);
  if (!moving.ok()) return moving.status();
  Introduction& in = moving->seen.introduction;
  if (in.exchanges.size() >= domain::kMaxExchanges) {
    return domain::MakeError(domain::ErrorReason::kLimitReached,
                             absl::StrCat("pools/", pool, "/introductions/", in.id, " has ", domain::kMaxExchanges,
                                          " questions already: accept, or decline"));
  }
  in.state = moving->next;
  if (!in.answer_time) in.answer_time = now;
  in.exchanges.push_back({input.text, now, "", std::nullopt});
  in.expire_time = now + domain::TimeToAnswer(moving->rules, in.urgency);
  return StoreWithHelper(tx, pool, *moving, now);
}

absl::StatusOr<SeenIntroduction> Answer(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                        const MoveInput& input, absl::Time now) {
  if (auto status = CheckNote(input.text, "answer", domain::kMaxAnswerCharacters, true); !status.ok()) return status;
  auto moving = Begin(tx, caller, pool, input, Move::kAnswer);
  if (!moving.ok()) return moving.status();
  Introduction& in = moving->seen.introduction;
  in.state = moving->next;
  in.exchanges.back().answer = input.text;
  in.exchanges.back().answer_time = now;
  in.expire_time = now + domain::TimeToAnswer(moving->rules, in.urgency);
  if (auto put = tx.Put(pool, in); !put.ok()) return put.status();
  if (auto status = Touch(tx, pool, in.seeker, now); !status.ok()) return status;
  return std::move(moving->seen);
}

absl::StatusOr<SeenIntroduction> Cancel(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                        const MoveInput& input, absl::Time now) {
  auto moving = Begin(tx, caller, pool, input, Move::kCancel);
  if (!moving.ok()) return moving.status();
  Introduction& in = moving->seen.introduction;
  // Asking and taking back, over and over, would be spam as well.
  const auto cool_down = in.ask_time ? std::optional(moving->rules.cool_down) : std::nullopt;
  if (auto status = End(tx, pool, Move::kCancel, moving->mover, cool_down, now, in); !status.ok()) return status;
  if (auto status = DropDrafts(tx, pool, Move::kCancel, Mover::kSeeker, in.seeker, in.ask, now); !status.ok())
    return status;
  return std::move(moving->seen);
}

absl::StatusOr<SeenIntroduction> ReportOutcome(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                               const MoveInput& input, domain::OutcomeKind kind, absl::Time now) {
  if (auto status = CheckNote(input.text, "note", domain::kMaxNoteCharacters, false); !status.ok()) return status;
  if (kind == domain::OutcomeKind::kUnspecified) {
    domain::Violations violations;
    violations.Add("outcome", "is unspecified: say what came of it, for example HELPED");
    return violations.ToStatus();
  }
  auto moving = Begin(tx, caller, pool, input, Move::kReportOutcome);
  if (!moving.ok()) return moving.status();
  Introduction& in = moving->seen.introduction;
  const auto side = moving->mover == Mover::kSeeker ? domain::Audience::kSeeker : domain::Audience::kHelper;
  std::erase_if(in.outcomes, [&](const domain::Outcome& o) { return o.reported_by == side; });
  in.outcomes.push_back({side, kind, input.text, now});
  auto helper = FindMember(tx, pool, in.helper);
  if (!helper.ok()) return helper.status();
  if (side == domain::Audience::kHelper) EndSilence(*helper, now);
  // Only who was helped can say so; what helpers say of themselves stands beside it.
  if (side == domain::Audience::kSeeker) {
    if (auto status = CountOutcome(tx, pool, moving->rules, kind, now, in, *helper); !status.ok()) return status;
  }
  if (in.IsOpen()) {
    if (auto status = End(tx, pool, Move::kReportOutcome, moving->mover, std::nullopt, now, in, &*helper); !status.ok())
      return status;
    return std::move(moving->seen);
  }
  if (auto put = tx.Put(pool, *helper); !put.ok()) return put.status();
  if (auto put = tx.Put(pool, in); !put.ok()) return put.status();
  return std::move(moving->seen);
}

absl::StatusOr<SeenIntroduction> ReportAbuse(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                             const MoveInput& input, absl::Time now) {
  if (auto status = CheckNote(input.text, "note", domain::kMaxNoteCharacters, true); !status.ok()) return status;
  auto seen = FindIntroduction(tx, caller, pool, input.id);
  if (!seen.ok()) return seen.status();
  Introduction& in = seen->introduction;
  if (in.reports.size() >= domain::kMaxAbuseReports) {
    return domain::MakeError(domain::ErrorReason::kLimitReached,
                             absl::StrCat("pools/", pool, "/introductions/", in.id, " has ", domain::kMaxAbuseReports,
                                          " reports already: the operators have them"));
  }
  // The seeker accuses whoever answered; the others accuse the seeker.
  std::string accused = in.seeker;
  if (seen->viewer == Viewer::kSeeker) accused = in.forward_time || in.introducer.empty() ? in.helper : in.introducer;
  in.reports.push_back({caller.member, accused, input.text, now});
  if (auto put = tx.Put(pool, in); !put.ok()) return put.status();
  return seen;
}

absl::StatusOr<SeenIntroduction> ResolveReport(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                               const std::string& id, const std::string& member, bool suspend,
                                               absl::Time now) {
  if (auto status = RequireOperator(caller, "resolving a report"); !status.ok()) return status;
  auto seen = FindIntroduction(tx, caller, pool, id);
  if (!seen.ok()) return seen;
  const Introduction& in = seen->introduction;
  if (member != in.seeker && member != in.helper && member != in.introducer) {
    domain::Violations violations;
    violations.Add("member", absl::StrCat(domain::Quoted(member),
                                          " has no part in this introduction: name its seeker, "
                                          "helper or introducer"));
    return violations.ToStatus();
  }
  auto found = FindMember(tx, pool, member);
  if (!found.ok()) return found.status();
  found->suspended = suspend;
  if (auto put = tx.Put(pool, *found); !put.ok()) return put.status();
  if (suspend) {
    if (auto status = CloseAllOf(tx, pool, member, now); !status.ok()) return status;
  }
  return FindIntroduction(tx, caller, pool, id);
}

}  // namespace warmline::application
