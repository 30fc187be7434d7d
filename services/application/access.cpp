#include "application/access.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>

#include "base/rcu.h"
#include "domain/error.h"

namespace warmline::application {
namespace {

using domain::Audience;
using domain::ErrorReason;

bool Lists(const std::vector<std::string>& list, const std::string& value) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& entry) { return entry == "*" || entry == value; });
}

constexpr std::array<std::pair<CallRole, const char*>, 5> kRoles = {{{CallRole::kReader, "reader"},
                                                                     {CallRole::kMatcher, "matcher"},
                                                                     {CallRole::kMemberWriter, "member-writer"},
                                                                     {CallRole::kIntroducer, "introducer"},
                                                                     {CallRole::kOperator, "operator"}}};

}  // namespace

std::optional<CallRole> RoleOf(std::string_view name) {
  for (const auto& [role, known] : kRoles) {
    if (name == known) return role;
  }
  return std::nullopt;
}

std::string RoleNames(CallRoles roles) {
  std::string names;
  for (const auto& [role, name] : kRoles) {
    if ((roles & static_cast<CallRoles>(role)) != 0) absl::StrAppend(&names, names.empty() ? "" : ", ", name);
  }
  return names;
}

RateLimit::RateLimit(double calls_per_second)
    : interval_ns_(calls_per_second > 0 ? static_cast<std::int64_t>(1e9 / calls_per_second) : 0) {}

std::optional<absl::Duration> RateLimit::Take(absl::Time now) const {
  if (interval_ns_ == 0) return std::nullopt;
  const std::int64_t now_ns = absl::ToUnixNanos(now);
  const std::int64_t burst_ns = std::max<std::int64_t>(interval_ns_, 1'000'000'000);
  std::int64_t next = next_ns_.load(std::memory_order_relaxed);
  while (true) {
    const std::int64_t taken = std::max(next, now_ns) + interval_ns_;
    if (taken - now_ns > burst_ns) return absl::Nanoseconds(taken - now_ns - burst_ns);
    if (next_ns_.compare_exchange_weak(next, taken, std::memory_order_relaxed)) return std::nullopt;
  }
}

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

std::shared_ptr<const GrantInForce> TokenTable::Find(const std::string& sha256) const {
  const auto found = grants_.find(sha256);
  return found == grants_.end() ? nullptr : found->second;
}

void TokenTable::Continue(const TokenTable& before) {
  for (auto& [sha256, grant] : grants_) {
    const auto known = before.Find(sha256);
    if (known != nullptr && known->grant == grant->grant) grant = known;
  }
}

TokenRegistry::~TokenRegistry() { base::RcuRetireObject(table_.load()); }

std::shared_ptr<const GrantInForce> TokenRegistry::Find(const std::string& sha256) const {
  const base::RcuReadGuard guard;
  const TokenTable* table = table_.load(std::memory_order_acquire);
  return table == nullptr ? nullptr : table->Find(sha256);
}

void TokenRegistry::Exchange(TokenTable table) {
  const TokenTable* before = table_.load();
  if (before != nullptr) table.Continue(*before);
  base::RcuRetireObject(table_.exchange(new TokenTable(std::move(table))));
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
