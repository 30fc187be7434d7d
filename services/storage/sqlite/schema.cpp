#include "storage/sqlite/schema.h"

#include <absl/strings/str_cat.h>

#include <array>

#include "domain/error.h"

namespace warmline::storage::sqlite {
namespace {

// Step i brings version i to version i + 1.
constexpr std::array<const char*, kSchemaVersion> kSteps = {R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE pool(id TEXT PRIMARY KEY, head INTEGER NOT NULL, payload BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE member(pool TEXT NOT NULL, id TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY(pool, id)) WITHOUT ROWID;
CREATE TABLE connection(pool TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY(pool, a, b)) WITHOUT ROWID;
CREATE INDEX connection_by_b ON connection(pool, b, a);
CREATE TABLE block(pool TEXT NOT NULL, blocker TEXT NOT NULL, blocked TEXT NOT NULL, PRIMARY KEY(pool, blocker, blocked)) WITHOUT ROWID;
CREATE INDEX block_by_blocked ON block(pool, blocked, blocker);
CREATE TABLE need(pool TEXT NOT NULL, id TEXT NOT NULL, seeker TEXT NOT NULL, open INTEGER NOT NULL, payload BLOB NOT NULL,
                  PRIMARY KEY(pool, id)) WITHOUT ROWID;
CREATE INDEX need_by_seeker ON need(pool, seeker, id, open);
CREATE TABLE statistics(pool TEXT NOT NULL, generation INTEGER NOT NULL, payload BLOB NOT NULL, PRIMARY KEY(pool, generation)) WITHOUT ROWID;
-- subject and object: the ids of the members that the payload tells of, for erasing them.
CREATE TABLE change_log(pool TEXT NOT NULL, revision INTEGER NOT NULL, subject TEXT, object TEXT, payload BLOB, PRIMARY KEY(pool, revision)) WITHOUT ROWID;
CREATE INDEX change_log_by_subject ON change_log(pool, subject) WHERE subject IS NOT NULL;
CREATE INDEX change_log_by_object ON change_log(pool, object) WHERE object IS NOT NULL;
CREATE TABLE reply(pool TEXT NOT NULL, request_id TEXT NOT NULL, subject TEXT NOT NULL, fingerprint INTEGER NOT NULL, reply BLOB NOT NULL,
                   made INTEGER NOT NULL, PRIMARY KEY(pool, request_id)) WITHOUT ROWID;
CREATE INDEX reply_by_age ON reply(made);
CREATE INDEX reply_by_subject ON reply(pool, subject);
CREATE TABLE erasure(pool TEXT NOT NULL, hash TEXT NOT NULL, time INTEGER NOT NULL, removed INTEGER NOT NULL, revision INTEGER NOT NULL,
                     PRIMARY KEY(pool, hash)) WITHOUT ROWID;
INSERT INTO meta VALUES ('history', abs(random()) | 1), ('token_key', randomblob(32)), ('erasure_key', randomblob(32));
)sql",
                                                            R"sql(
-- Times are in microseconds since 1970; 0: none. flags: 1 open, 2 bars, 4 draft, 8 helped, 16 reported.
CREATE TABLE introduction(pool TEXT NOT NULL, id TEXT NOT NULL, seeker TEXT NOT NULL, helper TEXT NOT NULL, introducer TEXT NOT NULL,
                          flags INTEGER NOT NULL, asked INTEGER NOT NULL, due INTEGER NOT NULL, payload BLOB NOT NULL,
                          PRIMARY KEY(pool, id)) WITHOUT ROWID;
CREATE INDEX introduction_by_seeker ON introduction(pool, seeker, id);
CREATE INDEX introduction_by_helper ON introduction(pool, helper, id);
CREATE INDEX introduction_by_introducer ON introduction(pool, introducer, id) WHERE introducer <> '';
CREATE INDEX introduction_by_due ON introduction(due) WHERE due > 0;
)sql",
                                                            R"sql(
CREATE TABLE outbox(pool TEXT PRIMARY KEY, revision INTEGER NOT NULL, holder TEXT NOT NULL, held_until INTEGER NOT NULL) WITHOUT ROWID;
)sql",
                                                            R"sql(
-- When the files held nothing of the member any more, in seconds; 0: not yet. Erasures of before are cleaned once more.
ALTER TABLE erasure ADD COLUMN cleaned INTEGER NOT NULL DEFAULT 0;
CREATE INDEX erasure_to_clean ON erasure(pool, hash) WHERE cleaned = 0;
-- 1: the need excludes members; also of needs that were written before.
ALTER TABLE need ADD COLUMN excludes INTEGER NOT NULL DEFAULT 1;
CREATE INDEX need_excluding ON need(pool, id) WHERE excludes = 1;
-- Rows that tell of erased needs named them by the ids that callers chose (field 9 of warmline.store.v1.Change).
UPDATE change_log SET payload = NULL WHERE subject IS NULL AND substr(payload, 1, 1) = x'4a';
)sql"};

absl::StatusOr<std::int64_t> VersionOf(Database& database) {
  auto rows = database.Query("SELECT max(version) FROM schema_version");
  if (!rows.ok()) return rows.status();
  auto row = rows->Next();
  if (!row.ok()) return row.status();
  return rows->Integer(0);
}

}  // namespace

absl::Status Migrate(Database& database, const std::string& path) {
  if (auto status = database.RunScript(
          "CREATE TABLE IF NOT EXISTS schema_version(version INTEGER PRIMARY KEY, applied TEXT NOT NULL)");
      !status.ok()) {
    return status;
  }
  auto version = VersionOf(database);
  if (!version.ok()) return version.status();
  if (*version > kSchemaVersion) {
    return domain::MakeError(
        domain::ErrorReason::kInternalDefect,
        absl::StrCat(path, " was written by a newer Warmline (schema version ", *version, ", this program knows ",
                     kSchemaVersion,
                     "): run that version or a newer one, or restore a backup made before the upgrade"));
  }
  for (std::int64_t step = *version; step < kSchemaVersion; ++step) {
    auto status = database.RunScript(absl::StrCat("BEGIN IMMEDIATE;", kSteps[static_cast<std::size_t>(step)],
                                                  "INSERT INTO schema_version VALUES (", step + 1,
                                                  ", datetime('now')); COMMIT;"));
    if (!status.ok()) {
      (void)database.RunScript("ROLLBACK");
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace warmline::storage::sqlite
