#include "application/import_rows.h"

#include "application/members.h"
#include "application/pools.h"
#include "application/ties.h"
#include "domain/error.h"

namespace warmline::application {
namespace {

absl::Status Keep(WriteTransaction&, const std::string&, absl::Status& error, const ImportOptions&, absl::Time) {
  return error;
}

absl::Status Keep(WriteTransaction& tx, const std::string& pool, domain::Member& member, const ImportOptions& options,
                  absl::Time now) {
  domain::Violations violations;
  domain::ValidateMember(member, "member.", violations);
  if (!violations.empty()) return violations.ToStatus();
  if (member.offer && options.vouch) member.offer->confirmation = domain::Confirmation::kVouched;
  auto known = tx.GetMember(pool, member.id);
  if (!known.ok()) return known.status();
  if (known->has_value()) {
    const domain::Member& before = **known;
    member.create_time = before.create_time;
    // What happened here stays, where the row says nothing of it.
    if (member.evidence.empty()) member.evidence = before.evidence;
    if (member.load == domain::Load{}) member.load = before.load;
    member.thanks = before.thanks;
    member.last_active = before.last_active;
    member.silent_asks = before.silent_asks;
    member.suspended = before.suspended;
  } else if (member.create_time <= absl::UnixEpoch()) {
    member.create_time = now;
  }
  member.update_time = now;
  member.erase_time.reset();
  return tx.Put(pool, member).status();
}

absl::Status Keep(WriteTransaction& tx, const std::string& pool, domain::Connection& connection,
                  const ImportOptions& options, absl::Time) {
  domain::Violations violations;
  domain::ValidateConnection(connection, "connection.", violations);
  if (!violations.empty()) return violations.ToStatus();
  if (options.vouch) connection.state = domain::ConnectionState::kConfirmed;
  if (connection.state == domain::ConnectionState::kUnspecified) connection.state = domain::ConnectionState::kPending;
  if (connection.state == domain::ConnectionState::kConfirmed) connection.unseen = false;
  return PutConnection(tx, pool, connection);
}

absl::Status Keep(WriteTransaction& tx, const std::string& pool, domain::Block& block, const ImportOptions&,
                  absl::Time now) {
  domain::Violations violations;
  domain::ValidateBlock(block, "block.", violations);
  if (!violations.empty()) return violations.ToStatus();
  return PutBlock(tx, pool, block, now).status();
}

absl::Status Keep(WriteTransaction& tx, const std::string& pool, domain::Need& need, const ImportOptions&,
                  absl::Time now) {
  domain::Violations violations;
  if (need.id.empty()) violations.Add("need.name", "is empty: name the need, so that importing it again replaces it");
  domain::ValidateNeed(need, "need.", violations);
  if (!violations.empty()) return violations.ToStatus();
  if (auto member = FindMember(tx, pool, need.seeker); !member.ok()) return member.status();
  if (need.create_time <= absl::UnixEpoch()) need.create_time = now;
  return tx.Put(pool, need).status();
}

// Errors of the store, after which the transaction cannot go on, as against errors of the row.
bool IsStoreError(const absl::Status& status) {
  switch (domain::ReasonOf(status)) {
    case domain::ErrorReason::kStoreUnavailable:
    case domain::ErrorReason::kStoreFull:
    case domain::ErrorReason::kInternalDefect:
    case domain::ErrorReason::kUnspecified:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::StatusOr<std::vector<RefusedRow>> ImportRows(WriteTransaction& tx, const std::string& pool,
                                                   std::vector<ImportRow>& rows, std::int64_t first_row,
                                                   const ImportOptions& options, absl::Time now) {
  if (auto status = RequirePool(tx, pool); !status.ok()) return status;
  std::vector<RefusedRow> refused;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (auto status = tx.BeginItem(); !status.ok()) return status;
    const absl::Status kept = std::visit([&](auto& row) { return Keep(tx, pool, row, options, now); }, rows[i]);
    if (!kept.ok() && IsStoreError(kept)) return kept;
    if (auto status = kept.ok() ? tx.EndItem() : tx.RollbackItem(); !status.ok()) return status;
    if (!kept.ok()) refused.push_back({first_row + static_cast<std::int64_t>(i), kept});
  }
  return refused;
}

}  // namespace warmline::application
