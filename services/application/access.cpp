#include "application/access.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "domain/error.h"

namespace warmline::application {
namespace {

using domain::Audience;
using domain::ErrorReason;

bool Lists(const std::vector<std::string>& list, const std::string& value) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& entry) { return entry == "*" || entry == value; });
}

}  // namespace

const char* AudienceName(Audience audience) {
  switch (audience) {
    case Audience::kSeeker:
      return "SEEKER";
    case Audience::kIntroducer:
      return "INTRODUCER";
    case Audience::kHelper:
      return "HELPER";
    case Audience::kOperator:
      return "OPERATOR";
    case Audience::kUnspecified:
      break;
  }
  return "AUDIENCE_UNSPECIFIED";
}

bool Grant::AllowsPool(const std::string& pool) const { return Lists(pools, pool); }

const Grant* TokenTable::Find(const std::string& sha256) const {
  const auto found = grants_.find(sha256);
  return found == grants_.end() ? nullptr : found->second.get();
}

absl::Status Authorize(const Grant& grant, const Caller& caller, const std::string& pool) {
  if (std::find(grant.audiences.begin(), grant.audiences.end(), caller.audience) == grant.audiences.end()) {
    return domain::MakeError(ErrorReason::kAudienceNotAllowed,
                             absl::StrCat("the token does not allow audience ", AudienceName(caller.audience),
                                          ": use one that it allows, or another token"));
  }
  if (!pool.empty() && !grant.AllowsPool(pool)) {
    return domain::MakeError(ErrorReason::kPoolNotAllowed,
                             absl::StrCat("the token does not allow pools/", pool, ": use another token"));
  }
  if (!caller.IsOperator() && (caller.member.empty() || !Lists(grant.members, caller.member))) {
    return domain::MakeError(
        ErrorReason::kActingMemberNotAllowed,
        caller.member.empty()
            ? std::string("actor.acting_member is empty: name the member in whose place you call")
            : absl::StrCat("the token may not act for members/", caller.member, ": use another token"));
  }
  return absl::OkStatus();
}

absl::Status RequireOperator(const Caller& caller, const char* what) {
  if (caller.IsOperator()) return absl::OkStatus();
  return domain::MakeError(ErrorReason::kAudienceNotAllowed, absl::StrCat(what, " is for audience OPERATOR only"));
}

absl::Status RequireSelf(const Caller& caller, const std::string& member, const char* what,
                         std::vector<Audience> audiences) {
  if (caller.IsOperator()) return absl::OkStatus();
  if (!audiences.empty() && std::find(audiences.begin(), audiences.end(), caller.audience) == audiences.end()) {
    return domain::MakeError(ErrorReason::kAudienceNotAllowed,
                             absl::StrCat(what, " is not for audience ", AudienceName(caller.audience)));
  }
  if (caller.member == member) return absl::OkStatus();
  return domain::MakeError(ErrorReason::kActingMemberNotAllowed,
                           absl::StrCat(what, " of another member is for audience OPERATOR only"));
}

}  // namespace warmline::application
