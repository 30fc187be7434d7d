#include "application/ties.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "application/introduction_moves.h"
#include "application/members.h"
#include "domain/error.h"
#include "domain/limits.h"

namespace warmline::application {
namespace {

using domain::ErrorReason;

absl::Status LimitReached(const std::string& pool, const std::string& member, const char* what, int limit) {
  return domain::MakeError(ErrorReason::kLimitReached,
                           absl::StrCat("pools/", pool, "/members/", member, " has ", limit, " ", what,
                                        " already, the most that one member may have: delete some"));
}

absl::Status RequireSide(const Caller& caller, const std::string& a, const std::string& b, const char* what) {
  if (caller.IsOperator() || caller.member == a || caller.member == b) return absl::OkStatus();
  return domain::MakeError(ErrorReason::kActingMemberNotAllowed,
                           absl::StrCat(what, " between others is for audience OPERATOR only"));
}

// As the caller sees it.
absl::StatusOr<domain::Connection> FindConnection(RecordReader& reader, const Caller& caller, const std::string& pool,
                                                  const std::string& a, const std::string& b) {
  auto found = reader.GetConnection(pool, a, b);
  if (!found.ok()) return found.status();
  if (found->has_value() && (*found)->IsSeenBy(caller.member)) return **std::move(found);
  return domain::MakeError(ErrorReason::kConnectionNotFound,
                           absl::StrCat("pools/", pool, "/connections/", a, "~", b, " does not exist: check the name"));
}

// Whether the other side proposed it, and the member did not say yes yet.
bool IsProposalTo(const domain::Connection& tie, const std::string& member) {
  return tie.state == domain::ConnectionState::kPending && !tie.proposed_by.empty() && tie.proposed_by != member;
}

// From the side that did not propose it; the other is not told.
absl::StatusOr<std::int64_t> Hide(WriteTransaction& tx, const std::string& pool, domain::Connection& tie) {
  if (tie.unseen) return tx.HeadRevision(pool);
  tie.unseen = true;
  return tx.Put(pool, tie);
}

// Ends the tie of the two, and keeps the block.
absl::StatusOr<std::int64_t> StoreBlock(WriteTransaction& tx, const std::string& pool, const domain::Block& block) {
  const auto& [low, high] = std::minmax(block.blocker, block.blocked);
  auto tie = tx.GetConnection(pool, low, high);
  if (!tie.ok()) return tie.status();
  if (tie->has_value()) {
    // Whoever is blocked keeps what they proposed, and learns nothing of the block.
    auto revision = IsProposalTo(**tie, block.blocker) ? Hide(tx, pool, **tie) : tx.DeleteConnection(pool, low, high);
    if (!revision.ok()) return revision;
  }
  auto known = tx.GetBlock(pool, block.blocker, block.blocked);
  if (!known.ok()) return known.status();
  if (known->has_value()) return tx.HeadRevision(pool);
  auto count = tx.CountBlocksOf(pool, block.blocker);
  if (!count.ok()) return count.status();
  if (*count >= domain::kMaxBlocksPerMember)
    return LimitReached(pool, block.blocker, "blocks", domain::kMaxBlocksPerMember);
  return tx.Put(pool, block);
}

}  // namespace

absl::StatusOr<bool> IsBlocked(RecordReader& reader, const std::string& pool, const std::string& a,
                               const std::string& b) {
  for (const auto& [blocker, blocked] : {std::pair(a, b), std::pair(b, a)}) {
    auto block = reader.GetBlock(pool, blocker, blocked);
    if (!block.ok()) return block.status();
    if (block->has_value()) return true;
  }
  return false;
}

absl::Status PutConnection(WriteTransaction& tx, const std::string& pool, domain::Connection& connection) {
  // Who proposed a tie may wait for somebody who is not there.
  const bool proposed = connection.state == domain::ConnectionState::kPending && !connection.proposed_by.empty();
  for (const std::string& side : {connection.a, connection.b}) {
    if (proposed && side != connection.proposed_by) continue;
    if (auto member = FindMember(tx, pool, side); !member.ok()) return member.status();
    auto count = tx.CountConnectionsOf(pool, side);
    if (!count.ok()) return count.status();
    if (*count < domain::kMaxConnectionsPerMember) continue;
    auto known = tx.GetConnection(pool, connection.a, connection.b);
    if (!known.ok()) return known.status();
    if (!known->has_value()) return LimitReached(pool, side, "ties", domain::kMaxConnectionsPerMember);
  }
  auto revision = tx.Put(pool, connection);
  return revision.ok() ? absl::OkStatus() : revision.status();
}

absl::StatusOr<domain::Connection> CreateConnection(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                                    domain::Connection connection) {
  domain::Violations violations;
  domain::ValidateConnection(connection, "connection.", violations);
  if (!violations.empty()) return violations.ToStatus();
  if (auto status = RequireSide(caller, connection.a, connection.b, "a tie"); !status.ok()) return status;
  auto known = tx.GetConnection(pool, connection.a, connection.b);
  if (!known.ok()) return known.status();
  if (known->has_value() && (*known)->IsSeenBy(caller.member)) {
    return domain::MakeError(ErrorReason::kConnectionExists,
                             absl::StrCat("pools/", pool, "/connections/", connection.a, "~", connection.b,
                                          " exists already: confirm it, or delete it first"));
  }
  connection.unseen = false;
  connection.proposed_by = caller.member;
  connection.state = domain::ConnectionState::kConfirmed;
  if (!caller.IsOperator()) {
    const std::string& other = caller.member == connection.a ? connection.b : connection.a;
    auto own_block = tx.GetBlock(pool, caller.member, other);
    if (!own_block.ok()) return own_block.status();
    if (own_block->has_value()) {
      violations.Add("connection", absl::StrCat("is with members/", other, ", whom you block: delete the block first"));
      return violations.ToStatus();
    }
    auto their_block = tx.GetBlock(pool, other, caller.member);
    if (!their_block.ok()) return their_block.status();
    connection.state = domain::ConnectionState::kPending;
    connection.unseen = their_block->has_value();  // whoever blocks hears nothing, and a block is nobody's to see
  }
  if (auto status = PutConnection(tx, pool, connection); !status.ok()) return status;
  return connection;
}

absl::StatusOr<domain::Connection> ConfirmConnection(WriteTransaction& tx, const Caller& caller,
                                                     const std::string& pool, const std::string& a,
                                                     const std::string& b) {
  if (auto status = RequireSide(caller, a, b, "a tie"); !status.ok()) return status;
  auto found = FindConnection(tx, caller, pool, a, b);
  if (!found.ok()) return found.status();
  if (found->state == domain::ConnectionState::kConfirmed) return found;
  if (!caller.IsOperator() && caller.member == found->proposed_by) {
    return domain::MakeError(ErrorReason::kActingMemberNotAllowed,
                             "a tie is confirmed by the side that did not propose it: wait for the other side");
  }
  for (const std::string& side : {a, b}) {
    if (auto member = FindMember(tx, pool, side); !member.ok()) return member.status();
  }
  found->state = domain::ConnectionState::kConfirmed;
  found->unseen = false;
  if (auto revision = tx.Put(pool, *found); !revision.ok()) return revision.status();
  return found;
}

absl::StatusOr<std::int64_t> DeleteConnection(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                              const std::string& a, const std::string& b) {
  if (auto status = RequireSide(caller, a, b, "a tie"); !status.ok()) return status;
  auto found = FindConnection(tx, caller, pool, a, b);
  if (!found.ok()) return found.status();
  if (!caller.IsOperator() && IsProposalTo(*found, caller.member)) return Hide(tx, pool, *found);
  return tx.DeleteConnection(pool, a, b);
}

absl::StatusOr<std::int64_t> PutBlock(WriteTransaction& tx, const std::string& pool, const domain::Block& block,
                                      absl::Time now) {
  auto blocker = FindMember(tx, pool, block.blocker);
  if (!blocker.ok()) return blocker.status();
  auto blocked = tx.GetMember(pool, block.blocked);
  if (!blocked.ok()) return blocked.status();
  // Asks are looked up only where somebody holds one: an import of many blocks reads nothing more.
  if (blocker->load.open_asks > 0 || (blocked->has_value() && (*blocked)->load.open_asks > 0)) {
    if (auto status = CloseBetween(tx, pool, block.blocker, block.blocked, now); !status.ok()) return status;
  }
  return StoreBlock(tx, pool, block);
}

absl::StatusOr<std::int64_t> CreateBlock(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                         const domain::Block& block, absl::Time now) {
  domain::Violations violations;
  domain::ValidateBlock(block, "block.", violations);
  if (!violations.empty()) return violations.ToStatus();
  if (auto status = RequireSelf(caller, block.blocker, "a block"); !status.ok()) return status;
  if (caller.IsOperator()) {
    if (auto blocked = FindMember(tx, pool, block.blocked); !blocked.ok()) return blocked.status();
    return PutBlock(tx, pool, block, now);
  }
  // The same steps whether or not the other is there.
  if (auto blocker = FindMember(tx, pool, block.blocker); !blocker.ok()) return blocker.status();
  if (auto status = CloseBetween(tx, pool, block.blocker, block.blocked, now); !status.ok()) return status;
  return StoreBlock(tx, pool, block);
}

absl::StatusOr<std::int64_t> DeleteBlock(WriteTransaction& tx, const Caller& caller, const std::string& pool,
                                         const domain::Block& block) {
  if (auto status = RequireSelf(caller, block.blocker, "a block"); !status.ok()) return status;
  auto known = tx.GetBlock(pool, block.blocker, block.blocked);
  if (!known.ok()) return known.status();
  if (!known->has_value()) {
    return domain::MakeError(
        ErrorReason::kBlockNotFound,
        absl::StrCat("pools/", pool, "/blocks/", block.blocker, "~", block.blocked, " does not exist: check the name"));
  }
  return tx.DeleteBlock(pool, block.blocker, block.blocked);
}

}  // namespace warmline::application
