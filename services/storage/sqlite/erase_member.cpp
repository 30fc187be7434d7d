// Transaction::EraseMember: a member leaves every table.
#include "codec/records.h"
#include "storage/sqlite/store.h"
#include "storage/sqlite/transaction.h"

namespace warmline::storage::sqlite {

using application::ErasureRecord;

absl::StatusOr<std::int64_t> Transaction::Remove(const char* sql, std::int64_t& removed, const std::string& pool,
                                                 const std::string& member) {
  if (auto status = database_.Run(sql, pool, member); !status.ok()) return status;
  removed += database_.changed_rows();
  return removed;
}

absl::Status Transaction::ForgetExclusionsOf(const std::string& pool, const std::string& member) {
  const std::string bytes = codec::ExclusionBytes(pool, member);
  std::vector<domain::Need> needs;
  {
    auto rows = database_.Query(
        "SELECT payload FROM need WHERE pool = ? AND excludes = 1 AND seeker <> ? AND instr(CAST(payload AS BLOB), "
        "CAST(? AS BLOB)) > 0",
        pool, member, bytes);
    if (!rows.ok()) return rows.status();
    while (true) {
      auto more = rows->Next();
      if (!more.ok()) return more.status();
      if (!*more) break;
      auto need = codec::DecodeNeed(pool, rows->Text(0));
      if (!need.ok()) return need.status();
      needs.push_back(*std::move(need));
    }
  }
  for (domain::Need& need : needs) {
    // Whoever follows the log finds the need as it is now in the row that comes last.
    if (auto status =
            database_.Run("UPDATE change_log SET payload = NULL, subject = NULL WHERE pool = ? AND subject = ? AND "
                          "instr(CAST(payload AS BLOB), CAST(? AS BLOB)) > 0",
                          pool, need.seeker, bytes);
        !status.ok())
      return status;
    std::erase(need.constraints.exclude_members, member);
    if (auto put = Put(pool, need); !put.ok()) return put.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<ErasureRecord> Transaction::EraseMember(const std::string& pool, const std::string& member,
                                                       absl::Time now) {
  // Whole seconds, as the ledger keeps them.
  const codec::ErasedName name = erasure_key_.Name(pool, member);
  ErasureRecord record{name.hash, absl::FromUnixSeconds(absl::ToUnixSeconds(now)), 0, 0};
  for (const char* sql :
       {"DELETE FROM member WHERE pool = ? AND id = ?", "DELETE FROM connection WHERE pool = ? AND a = ?",
        "DELETE FROM connection WHERE pool = ? AND b = ?", "DELETE FROM block WHERE pool = ? AND blocker = ?",
        "DELETE FROM block WHERE pool = ? AND blocked = ?", "DELETE FROM need WHERE pool = ? AND seeker = ?",
        "DELETE FROM introduction WHERE pool = ? AND seeker = ?",
        "DELETE FROM introduction WHERE pool = ? AND helper = ?", "DELETE FROM reply WHERE pool = ? AND subject = ?",
        // Replies that name the member beside another: of a tie, for example.
        "DELETE FROM reply WHERE pool = ? AND instr(CAST(reply AS BLOB), CAST('members/' || ? AS BLOB)) > 0",
        "UPDATE change_log SET payload = NULL, subject = NULL, object = NULL WHERE pool = ? AND subject = ?",
        "UPDATE change_log SET payload = NULL, subject = NULL, object = NULL WHERE pool = ? AND object = ?"}) {
    if (auto removed = Remove(sql, record.records_removed, pool, member); !removed.ok()) return removed.status();
  }
  if (auto status = ForgetExclusionsOf(pool, member); !status.ok()) return status;
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision.status();
  record.revision = *revision;
  if (auto logged = Log(pool, *revision, "", "", domain::MemberErased{member, "", 0}, name); !logged.ok())
    return logged;
  if (auto status =
          database_.Run("INSERT OR REPLACE INTO erasure(pool, hash, time, removed, revision) VALUES (?, ?, ?, ?, ?)",
                        pool, record.hash, absl::ToUnixSeconds(now), record.records_removed, record.revision);
      !status.ok()) {
    return status;
  }
  erased_ = true;
  return record;
}

}  // namespace warmline::storage::sqlite
