#include "storage/postgres/schema.h"

#include <absl/strings/str_cat.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <vector>

#include "domain/error.h"

namespace warmline::storage::postgres {
namespace {

constexpr char kForgetNeedRows[] =
    "UPDATE change_log SET payload = NULL WHERE subject IS NULL AND substring(payload FROM 1 FOR 1) = '\\x4a'::bytea";

// "warmline" in ASCII: the number of the advisory lock that migrations hold.
constexpr std::int64_t kMigrationLock = 0x7761726d6c696e65;

struct Step {
  // The oldest program version that can live with the schema after this step.
  std::int64_t compatible_from;
  std::vector<const char*> statements;
};

constexpr char kIntroductionTable[] =
    "CREATE TABLE introduction(pool TEXT COLLATE \"C\" NOT NULL, id TEXT COLLATE \"C\" NOT NULL, seeker TEXT "
    "COLLATE \"C\" NOT NULL, helper TEXT COLLATE \"C\" NOT NULL, introducer TEXT COLLATE \"C\" NOT NULL, flags "
    "BIGINT NOT NULL, asked BIGINT NOT NULL, due BIGINT NOT NULL, payload BYTEA NOT NULL, PRIMARY KEY(pool, "
    "id))";

// Step i brings version i to version i + 1. Ids are compared by bytes everywhere, hence the collation.
const std::array<Step, kSchemaVersion>& Steps() {
  static const std::array<Step, kSchemaVersion> kSteps = {
      Step{1,
           {"CREATE TABLE meta(key TEXT PRIMARY KEY, value BYTEA NOT NULL)",
            "CREATE TABLE pool(id TEXT COLLATE \"C\" PRIMARY KEY, head BIGINT NOT NULL, payload BYTEA NOT NULL)",
            "CREATE TABLE member(pool TEXT COLLATE \"C\" NOT NULL, id TEXT COLLATE \"C\" NOT NULL, payload BYTEA NOT "
            "NULL, PRIMARY KEY(pool, id))",
            "CREATE TABLE connection(pool TEXT COLLATE \"C\" NOT NULL, a TEXT COLLATE \"C\" NOT NULL, b TEXT COLLATE "
            "\"C\" NOT NULL, payload BYTEA NOT NULL, PRIMARY KEY(pool, a, b))",
            "CREATE INDEX connection_by_b ON connection(pool, b, a)",
            "CREATE TABLE block(pool TEXT COLLATE \"C\" NOT NULL, blocker TEXT COLLATE \"C\" NOT NULL, blocked TEXT "
            "COLLATE \"C\" NOT NULL, PRIMARY KEY(pool, blocker, blocked))",
            "CREATE INDEX block_by_blocked ON block(pool, blocked, blocker)",
            "CREATE TABLE need(pool TEXT COLLATE \"C\" NOT NULL, id TEXT COLLATE \"C\" NOT NULL, seeker TEXT COLLATE "
            "\"C\" NOT NULL, is_open BIGINT NOT NULL, payload BYTEA NOT NULL, PRIMARY KEY(pool, id))",
            "CREATE INDEX need_by_seeker ON need(pool, seeker, id)",
            "CREATE TABLE statistics(pool TEXT COLLATE \"C\" NOT NULL, generation BIGINT NOT NULL, payload BYTEA NOT "
            "NULL, PRIMARY KEY(pool, generation))",
            // subject and object: the ids of the members that the payload tells of, for erasing them.
            "CREATE TABLE change_log(pool TEXT COLLATE \"C\" NOT NULL, revision BIGINT NOT NULL, subject TEXT COLLATE "
            "\"C\", object TEXT COLLATE \"C\", payload BYTEA, PRIMARY KEY(pool, revision))",
            "CREATE INDEX change_log_by_subject ON change_log(pool, subject) WHERE subject IS NOT NULL",
            "CREATE INDEX change_log_by_object ON change_log(pool, object) WHERE object IS NOT NULL",
            "CREATE TABLE reply(pool TEXT COLLATE \"C\" NOT NULL, request_id TEXT COLLATE \"C\" NOT NULL, subject TEXT "
            "COLLATE \"C\" NOT NULL, fingerprint BIGINT NOT NULL, reply BYTEA NOT NULL, made BIGINT NOT NULL, "
            "PRIMARY KEY(pool, request_id))",
            "CREATE INDEX reply_by_age ON reply(made)", "CREATE INDEX reply_by_subject ON reply(pool, subject)",
            "CREATE TABLE erasure(pool TEXT COLLATE \"C\" NOT NULL, hash TEXT NOT NULL, time BIGINT NOT NULL, removed "
            "BIGINT NOT NULL, revision BIGINT NOT NULL, PRIMARY KEY(pool, hash))"}},
      // A program of version 1 would leave introductions behind when it erases a member.
      Step{2,
           {// Times are in microseconds since 1970; 0: none. flags: storage/introduction_columns.h.
            kIntroductionTable, "CREATE INDEX introduction_by_seeker ON introduction(pool, seeker, id)",
            "CREATE INDEX introduction_by_helper ON introduction(pool, helper, id)",
            "CREATE INDEX introduction_by_introducer ON introduction(pool, introducer, id) WHERE introducer <> ''",
            "CREATE INDEX introduction_by_due ON introduction(due) WHERE due > 0"}},
      // A program of version 2 cannot read the rows of the change log that tell of notices.
      Step{3,
           {"CREATE TABLE outbox(pool TEXT COLLATE \"C\" PRIMARY KEY, revision BIGINT NOT NULL, holder TEXT NOT NULL, "
            "held_until BIGINT NOT NULL)"}},
      // A program of version 3 would leave the needs of an erased member in its index, and in the snapshots it writes.
      Step{4,
           {// When VACUUM had gone through the tables since, in seconds; 0: not yet.
            "ALTER TABLE erasure ADD COLUMN cleaned BIGINT NOT NULL DEFAULT 0",
            "CREATE INDEX erasure_to_clean ON erasure(pool, hash) WHERE cleaned = 0",
            // 1: the need excludes members; also of needs that were written before.
            "ALTER TABLE need ADD COLUMN excludes BIGINT NOT NULL DEFAULT 1",
            "CREATE INDEX need_excluding ON need(pool) WHERE excludes = 1",
            // Rows that tell of erased needs named them by the ids that callers chose (field 9 of
            // warmline.store.v1.Change).
            kForgetNeedRows}}};
  return kSteps;
}

std::string RandomBytes(std::size_t count) {
  std::string bytes(count, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
  return bytes;
}

// Keys that are there stay.
absl::Status MakeKeys(Connection& connection) {
  for (const auto& [key, size] : {std::pair("history", 8), {"token_key", 32}, {"erasure_key", 32}}) {
    connection.Send("INSERT INTO meta(key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
                    {std::string(key), Argument::Bytes(RandomBytes(static_cast<std::size_t>(size)))});
  }
  return connection.Await().status();
}

absl::Status Apply(Connection& connection) {
  auto state = ReadSchema(connection);
  if (!state.ok()) return state.status();
  if (state->version > kSchemaVersion && state->compatible_from > kSchemaVersion) {
    return domain::MakeError(
        domain::ErrorReason::kInternalDefect,
        absl::StrCat("the database was migrated by a newer Warmline (schema version ", state->version,
                     ", which programs from version ", state->compatible_from, " on can live with; this one is of ",
                     kSchemaVersion, "): run a newer version, or restore a backup made before the upgrade"));
  }
  for (std::int64_t step = state->version; step < kSchemaVersion; ++step) {
    const Step& next = Steps()[static_cast<std::size_t>(step)];
    connection.SendText("BEGIN");
    for (const char* statement : next.statements) connection.SendText(statement);
    connection.SendText(absl::StrCat("INSERT INTO schema_version(version, compatible_from) VALUES (", step + 1, ", ",
                                     next.compatible_from, ")"));
    connection.SendText("COMMIT");
    if (auto applied = connection.Await(); !applied.ok()) {
      connection.SendText("ROLLBACK");
      (void)connection.Await();
      return applied.status();
    }
  }
  return MakeKeys(connection);
}

}  // namespace

absl::StatusOr<SchemaState> ReadSchema(Connection& connection) {
  connection.SendText(
      "CREATE TABLE IF NOT EXISTS schema_version(version BIGINT PRIMARY KEY, compatible_from BIGINT NOT NULL, "
      "applied TIMESTAMPTZ NOT NULL DEFAULT now())");
  auto rows = connection.Query("SELECT version, compatible_from FROM schema_version ORDER BY version DESC LIMIT 1");
  if (!rows.ok()) return rows.status();
  if (rows->rows() == 0) return SchemaState{};
  return SchemaState{rows->Integer(0, 0), rows->Integer(0, 1)};
}

absl::Status Migrate(Connection& connection) {
  connection.SendText(absl::StrCat("SELECT pg_advisory_lock(", kMigrationLock, ")"));
  const auto locked = connection.Await();
  // An engine without advisory locks says that it knows no such function: there, migrate with one process.
  const bool no_locks = !locked.ok() && connection.error_state() == "42883";
  if (!locked.ok() && !no_locks) return locked.status();
  absl::Status applied = Apply(connection);
  if (!no_locks) {
    connection.SendText(absl::StrCat("SELECT pg_advisory_unlock(", kMigrationLock, ")"));
    if (auto unlocked = connection.Await(); applied.ok() && !unlocked.ok()) return unlocked.status();
  }
  return applied;
}

}  // namespace warmline::storage::postgres
