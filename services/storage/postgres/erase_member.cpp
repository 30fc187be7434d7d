// Transaction::EraseMember: a member leaves every table.
#include "codec/records.h"
#include "storage/postgres/store.h"
#include "storage/postgres/transaction.h"

namespace warmline::storage::postgres {

using application::ErasureRecord;

absl::Status Transaction::ForgetExclusionsOf(const std::string& pool, const std::string& member) {
  const std::string bytes = codec::ExclusionBytes(pool, member);
  auto rows = Query(
      "SELECT payload FROM need WHERE pool = $1 AND excludes = 1 AND seeker <> $2 AND position($3 IN payload) > 0",
      {pool, member, Argument::Bytes(bytes)});
  if (!rows.ok()) return rows.status();
  for (int row = 0; row < rows->rows(); ++row) {
    auto need = codec::DecodeNeed(pool, rows->Text(row, 0));
    if (!need.ok()) return need.status();
    // Whoever follows the log finds the need as it is now in the row that comes last.
    auto gone = Query(
        "UPDATE change_log SET payload = NULL, subject = NULL WHERE pool = $1 AND subject = $2 AND "
        "position($3 IN payload) > 0",
        {pool, need->seeker, Argument::Bytes(bytes)});
    if (!gone.ok()) return gone.status();
    std::erase(need->constraints.exclude_members, member);
    if (auto put = Put(pool, *need); !put.ok()) return put.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<ErasureRecord> Transaction::EraseMember(const std::string& pool, const std::string& member,
                                                       absl::Time now) {
  if (auto locked = LockedHead(pool); !locked.ok()) return locked.status();
  const codec::ErasedName name = erasure_key_.Name(pool, member);
  // Whole seconds, as the ledger keeps them.
  ErasureRecord record{name.hash, absl::FromUnixSeconds(absl::ToUnixSeconds(now)), 0, 0};
  if (auto status = Flush(true); !status.ok()) return status;
  ForgetAll();
  const std::vector<Argument> who = {pool, member};
  connection_.Send("DELETE FROM need WHERE pool = $1 AND seeker = $2", who);
  connection_.Send("DELETE FROM member WHERE pool = $1 AND id = $2", who);
  connection_.Send("DELETE FROM connection WHERE pool = $1 AND (a = $2 OR b = $2)", who);
  connection_.Send("DELETE FROM block WHERE pool = $1 AND (blocker = $2 OR blocked = $2)", who);
  connection_.Send("DELETE FROM introduction WHERE pool = $1 AND (seeker = $2 OR helper = $2)", who);
  connection_.Send("DELETE FROM reply WHERE pool = $1 AND subject = $2", who);
  // Replies that name the member beside another: of a tie, for example.
  connection_.Send("DELETE FROM reply WHERE pool = $1 AND position($2 IN reply) > 0",
                   {pool, Argument::Bytes("members/" + member)});
  connection_.Send(
      "UPDATE change_log SET payload = NULL, subject = NULL, object = NULL WHERE pool = $1 AND subject = $2", who);
  connection_.Send(
      "UPDATE change_log SET payload = NULL, subject = NULL, object = NULL WHERE pool = $1 AND object = $2", who);
  auto done = connection_.Await();
  if (!done.ok()) return done.status();
  for (const Result& result : *done) record.records_removed += result.touched();
  if (auto status = ForgetExclusionsOf(pool, member); !status.ok()) return status;
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision.status();
  record.revision = *revision;
  Log(pool, *revision, "", "", domain::MemberErased{member, "", 0}, name);
  auto ledger = Query(
      "INSERT INTO erasure(pool, hash, time, removed, revision) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (pool, hash) "
      "DO UPDATE SET time = excluded.time, removed = excluded.removed, revision = excluded.revision, cleaned = 0",
      {pool, record.hash, absl::ToUnixSeconds(now), record.records_removed, record.revision});
  if (!ledger.ok()) return ledger.status();
  return record;
}

}  // namespace warmline::storage::postgres
