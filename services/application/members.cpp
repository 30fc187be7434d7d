#include "application/members.h"

#include <absl/strings/str_cat.h>

#include "application/introduction_moves.h"
#include "application/pools.h"
#include "domain/error.h"

namespace warmline::application {
namespace {

using domain::Confirmation;
using domain::ErrorReason;

absl::StatusOr<domain::Member> Store(WriteTransaction& tx, const std::string& pool, domain::Member member,
                                     absl::Time now) {
  member.update_time = now;
  member.erase_time.reset();
  auto revision = tx.Put(pool, member);
  if (!revision.ok()) return revision.status();
  return member;
}

}  // namespace

absl::Status MemberNotFound(const std::string& pool, const std::string& id) {
  return domain::MakeError(
      ErrorReason::kMemberNotFound,
      absl::StrCat("pools/", pool, "/members/", id, " does not exist: check the id, or create the member"));
}

absl::StatusOr<domain::Member> FindMember(RecordReader& reader, const std::string& pool, const std::string& id) {
  auto member = reader.GetMember(pool, id);
  if (!member.ok()) return member.status();
  if (member->has_value()) return **std::move(member);
  if (auto status = RequirePool(reader, pool); !status.ok()) return status;
  return MemberNotFound(pool, id);
}

absl::StatusOr<domain::Member> CreateMember(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                            domain::Member member, absl::Time now) {
  if (auto status = RequireOperator(caller, "creating a member"); !status.ok()) return status;
  if (auto status = RequirePool(tx, pool); !status.ok()) return status;
  domain::Violations violations;
  domain::ValidateMember(member, "member.", violations);
  if (!violations.empty()) return violations.ToStatus();
  auto known = tx.GetMember(pool, member.id);
  if (!known.ok()) return known.status();
  if (known->has_value()) {
    return domain::MakeError(
        ErrorReason::kMemberExists,
        absl::StrCat("pools/", pool, "/members/", member.id, " exists already: update it, or choose another id"));
  }
  if (member.offer) member.offer->confirmation = Confirmation::kUnconfirmed;
  member.create_time = now;
  member.thanks = 0;
  member.last_active.reset();
  member.silent_asks = 0;
  member.suspended = false;
  return Store(tx, pool, std::move(member), now);
}

absl::StatusOr<domain::Member> UpdateMember(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                            const domain::Member& member, const std::vector<std::string>& mask,
                                            absl::Time now) {
  if (auto status = RequireSelf(caller, member.id, "updating a member"); !status.ok()) return status;
  auto found = FindMember(tx, pool, member.id);
  if (!found.ok()) return found.status();
  domain::Member updated = *std::move(found);
  if (auto status = RequireRevision(member.revision, updated.revision); !status.ok()) return status;

  const bool took_asks = updated.offer && !updated.offer->paused;
  domain::Violations violations;
  ValidateMask(mask, {"kind", "display_name", "interests", "offer", "introduces", "conflict_keys", "evidence", "load"},
               violations);
  for (const char* field : {"kind", "conflict_keys", "evidence", "load"}) {
    if (!InMask(mask, field)) continue;
    if (auto status = RequireOperator(caller, field); !status.ok()) return status;
  }
  if (InMask(mask, "kind")) updated.kind = member.kind;
  if (InMask(mask, "display_name")) updated.display_name = member.display_name;
  if (InMask(mask, "interests")) updated.interests = member.interests;
  if (InMask(mask, "introduces")) updated.introduces = member.introduces;
  if (InMask(mask, "conflict_keys")) updated.conflict_keys = member.conflict_keys;
  if (InMask(mask, "evidence")) updated.evidence = member.evidence;
  if (InMask(mask, "load")) updated.load = member.load;
  if (InMask(mask, "offer")) {
    const Confirmation before = updated.offer ? updated.offer->confirmation : Confirmation::kUnconfirmed;
    updated.offer = member.offer;
    if (updated.offer) updated.offer->confirmation = caller.IsOperator() ? before : Confirmation::kSelfConfirmed;
  }
  domain::ValidateMember(updated, "member.", violations);
  if (!violations.empty()) return violations.ToStatus();
  const bool takes_asks = updated.offer && !updated.offer->paused;
  if (InMask(mask, "offer") && takes_asks) updated.silent_asks = 0;
  auto stored = Store(tx, pool, std::move(updated), now);
  if (!stored.ok() || !took_asks || takes_asks) return stored;
  // Nobody is left waiting for an answer that will not come.
  if (auto status = CloseUnansweredAsksTo(tx, pool, member.id, now); !status.ok()) return status;
  return FindMember(tx, pool, member.id);
}

absl::StatusOr<domain::Member> ConfirmOffer(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                            const std::string& id, absl::Time now) {
  if (auto status = RequireSelf(caller, id, "confirming an offer", {domain::Audience::kHelper}); !status.ok())
    return status;
  auto found = FindMember(tx, pool, id);
  if (!found.ok()) return found.status();
  if (!found->offer) {
    domain::Violations violations;
    violations.Add("name", absl::StrCat("pools/", pool, "/members/", id,
                                        " has no offer to confirm: update the member with an offer first"));
    return violations.ToStatus();
  }
  // Whoever was paused for their silence is back with this.
  if (auto rules = RulesOf(tx, pool); !rules.ok()) {
    return rules.status();
  } else if (found->silent_asks >= rules->silent_asks_to_pause) {
    found->offer->paused = false;
  }
  found->silent_asks = 0;
  found->offer->confirmation = caller.IsOperator() ? Confirmation::kVouched : Confirmation::kSelfConfirmed;
  return Store(tx, pool, *std::move(found), now);
}

absl::StatusOr<ErasureRecord> EraseMember(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                          const std::string& id, absl::Time now) {
  if (auto status = RequireSelf(caller, id, "erasing a member"); !status.ok()) return status;
  if (auto found = FindMember(tx, pool, id); !found.ok()) return found.status();
  if (auto status = CloseAllOf(tx, pool, id, now); !status.ok()) return status;
  if (auto status = PrepareErasure(tx, pool, id, now); !status.ok()) return status;
  return tx.EraseMember(pool, id, now);
}

}  // namespace warmline::application
