#include "application/needs.h"

#include <absl/strings/str_cat.h>

#include "application/activity.h"
#include "application/introduction_moves.h"
#include "application/members.h"
#include "application/pools.h"
#include "domain/error.h"
#include "domain/limits.h"

namespace warmline::application {

using domain::ErrorReason;

absl::Status NeedNotFound(const std::string& pool, const std::string& id) {
  return domain::MakeError(
      ErrorReason::kNeedNotFound,
      absl::StrCat("pools/", pool, "/needs/", id, " does not exist: check the id, or create the need"));
}

absl::Status NeedIsClosed(const std::string& pool, const std::string& id) {
  return domain::MakeError(ErrorReason::kNeedIsClosed,
                           absl::StrCat("pools/", pool, "/needs/", id, " is closed: create a new need"));
}

absl::StatusOr<domain::Need> FindNeed(RecordReader& reader, const Caller& caller, const std::string& pool,
                                      const std::string& id) {
  auto need = reader.GetNeed(pool, id);
  if (!need.ok()) return need.status();
  if (!need->has_value() || (!caller.IsOperator() && (*need)->seeker != caller.member)) {
    if (auto status = RequirePool(reader, pool); !status.ok()) return status;
    return NeedNotFound(pool, id);
  }
  return **std::move(need);
}

absl::StatusOr<domain::Need> CreateNeed(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                        domain::Need need, absl::Time now) {
  domain::Violations violations;
  domain::ValidateNeed(need, "need.", violations);
  if (!violations.empty()) return violations.ToStatus();
  if (auto status = RequireSelf(caller, need.seeker, "a need", {domain::Audience::kSeeker}); !status.ok())
    return status;
  if (auto member = FindMember(tx, pool, need.seeker); !member.ok()) return member.status();
  auto known = tx.GetNeed(pool, need.id);
  if (!known.ok()) return known.status();
  if (known->has_value()) {
    return domain::MakeError(
        ErrorReason::kNeedExists,
        absl::StrCat("pools/", pool, "/needs/", need.id, " exists already: update it, or choose another id"));
  }
  auto open = tx.CountOpenNeedsOf(pool, need.seeker);
  if (!open.ok()) return open.status();
  if (*open >= domain::kMaxOpenNeedsPerSeeker) {
    return domain::MakeError(
        ErrorReason::kLimitReached,
        absl::StrCat("pools/", pool, "/members/", need.seeker, " has ", domain::kMaxOpenNeedsPerSeeker,
                     " open needs already, the most that one seeker may have: close some"));
  }
  need.state = domain::NeedState::kOpen;
  need.close_reason = domain::CloseReason::kUnspecified;
  need.create_time = now;
  if (auto revision = tx.Put(pool, need); !revision.ok()) return revision.status();
  if (auto status = Touch(tx, pool, need.seeker, now); !status.ok()) return status;
  return need;
}

absl::StatusOr<domain::Need> UpdateNeed(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                        const domain::Need& need, const std::vector<std::string>& mask) {
  auto found = FindNeed(tx, caller, pool, need.id);
  if (!found.ok()) return found;
  domain::Need updated = *std::move(found);
  if (auto status = RequireSelf(caller, updated.seeker, "a need", {domain::Audience::kSeeker}); !status.ok())
    return status;
  if (auto status = RequireRevision(need.revision, updated.revision); !status.ok()) return status;
  if (updated.state == domain::NeedState::kClosed) return NeedIsClosed(pool, need.id);
  domain::Violations violations;
  ValidateMask(mask, {"help_kinds", "interests", "urgency", "deadline", "constraints", "relaxations", "showcase"},
               violations);
  if (InMask(mask, "help_kinds")) updated.help_kinds = need.help_kinds;
  if (InMask(mask, "interests")) updated.interests = need.interests;
  if (InMask(mask, "urgency")) updated.urgency = need.urgency;
  if (InMask(mask, "deadline")) updated.deadline = need.deadline;
  if (InMask(mask, "constraints")) updated.constraints = need.constraints;
  if (InMask(mask, "relaxations")) updated.relaxations = need.relaxations;
  if (InMask(mask, "showcase")) updated.showcase = need.showcase;
  domain::ValidateNeed(updated, "need.", violations);
  if (!violations.empty()) return violations.ToStatus();
  if (auto revision = tx.Put(pool, updated); !revision.ok()) return revision.status();
  return updated;
}

absl::StatusOr<domain::Need> CloseNeed(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                       const std::string& id, domain::CloseReason reason, absl::Time now) {
  if (reason == domain::CloseReason::kUnspecified) {
    domain::Violations violations;
    violations.Add("reason", "is unspecified: say why, for example FOUND_WORK");
    return violations.ToStatus();
  }
  auto found = FindNeed(tx, caller, pool, id);
  if (!found.ok()) return found;
  if (auto status = RequireSelf(caller, found->seeker, "a need", {domain::Audience::kSeeker}); !status.ok())
    return status;
  if (found->state == domain::NeedState::kClosed) return found;
  found->state = domain::NeedState::kClosed;
  found->close_reason = reason;
  if (auto revision = tx.Put(pool, *found); !revision.ok()) return revision.status();
  if (auto status = CloseAsksFor(tx, pool, *found, now); !status.ok()) return status;
  return found;
}

}  // namespace warmline::application
