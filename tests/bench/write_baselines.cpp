#include "bench/write_baselines.h"

#include <absl/time/clock.h>
#include <endian.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/timings.h"
#include "codec/records.h"

namespace warmline::bench {
namespace {

[[noreturn]] void Fail(const char* message) {
  std::fprintf(stderr, "bench_write: %s\n", message);
  std::exit(1);
}

}  // namespace

std::vector<WriteRow> MakeRows(const simulation::Community& community, std::int64_t count) {
  std::vector<WriteRow> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    const domain::Member member = community.HelperAt(i);
    rows.push_back({codec::Encode("p", member), codec::EncodeChange("p", member, {})});
  }
  return rows;
}

struct SqliteBaseline::State {
  const std::vector<WriteRow>& rows;
  sqlite3* database = nullptr;
  std::array<sqlite3_stmt*, 4> statements{};
  std::int64_t next = 0;
  void Do(const char* sql) {
    if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Fail(sqlite3_errmsg(database));
  }
  void Step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) Fail(sqlite3_errmsg(database));
    sqlite3_reset(statement);
  }
};

SqliteBaseline::SqliteBaseline(const std::string& path, const std::vector<WriteRow>& rows)
    : state_(new State{rows, nullptr, {}, 0}) {
  sqlite3_open(path.c_str(), &state_->database);
  state_->Do(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA cache_size=-16384; PRAGMA "
      "wal_autocheckpoint=4000;"
      "CREATE TABLE pool(id TEXT PRIMARY KEY, head INTEGER NOT NULL) WITHOUT ROWID; INSERT INTO pool VALUES ('p', 0);"
      "CREATE TABLE member(pool TEXT, id TEXT, payload BLOB, PRIMARY KEY(pool, id)) WITHOUT ROWID;"
      "CREATE TABLE change_log(pool TEXT, revision INTEGER, subject TEXT, object TEXT, payload BLOB, PRIMARY KEY(pool, "
      "revision)) WITHOUT ROWID; CREATE INDEX change_log_by_subject ON change_log(pool, subject) WHERE subject IS NOT "
      "NULL;"
      "CREATE TABLE reply(pool TEXT, request_id TEXT, subject TEXT, fingerprint INTEGER, reply BLOB, made INTEGER, "
      "PRIMARY KEY(pool, request_id)) WITHOUT ROWID; CREATE INDEX reply_by_age ON reply(made); CREATE INDEX "
      "reply_by_subject ON reply(pool, subject)");
  const char* sql[] = {"INSERT OR REPLACE INTO member VALUES ('p', ?, ?)",
                       "INSERT INTO change_log VALUES ('p', ?, ?, NULL, ?)",
                       "INSERT INTO reply VALUES ('p', ?, ?, 1, ?, ?)", "UPDATE pool SET head = ? WHERE id = 'p'"};
  for (std::size_t i = 0; i < 4; ++i) {
    if (sqlite3_prepare_v2(state_->database, sql[i], -1, &state_->statements[i], nullptr) != SQLITE_OK)
      Fail(sqlite3_errmsg(state_->database));
  }
}

SqliteBaseline::~SqliteBaseline() {
  for (auto* statement : state_->statements) sqlite3_finalize(statement);
  sqlite3_close(state_->database);
}

double SqliteBaseline::Rate(int batch, double seconds) {
  State& s = *state_;
  const std::int64_t began = absl::GetCurrentTimeNanos();
  std::int64_t done = 0;
  const auto text = [](sqlite3_stmt* statement, int at, const std::string& value) {
    sqlite3_bind_text(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  };
  while (MicrosecondsSince(began) < seconds * 1e6) {
    s.Do("BEGIN IMMEDIATE");
    for (int i = 0; i < batch; ++i, ++done) {
      const WriteRow& row = s.rows[static_cast<std::size_t>(s.next) % s.rows.size()];
      const std::string id = "m" + std::to_string(s.next);
      const std::string request = "request-" + std::to_string(++s.next);
      text(s.statements[0], 1, id);
      text(s.statements[0], 2, row.payload);
      s.Step(s.statements[0]);
      sqlite3_bind_int64(s.statements[1], 1, s.next);
      text(s.statements[1], 2, id);
      text(s.statements[1], 3, row.log_payload);
      s.Step(s.statements[1]);
      text(s.statements[2], 1, request);
      text(s.statements[2], 2, id);
      text(s.statements[2], 3, row.payload);
      sqlite3_bind_int64(s.statements[2], 4, began / 1'000'000'000);
      s.Step(s.statements[2]);
    }
    sqlite3_bind_int64(s.statements[3], 1, s.next);
    s.Step(s.statements[3]);
    s.Do("COMMIT");
  }
  return static_cast<double>(done) / (MicrosecondsSince(began) / 1e6);
}

struct PostgresBaseline::State {
  const std::vector<WriteRow>& rows;
  PGconn* connection = nullptr;
  std::int64_t next = 0;

  void Prepare(const char* name, const char* sql) {
    PGresult* result = PQprepare(connection, name, sql, 0, nullptr);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) Fail(PQerrorMessage(connection));
    PQclear(result);
  }
  void Send(const char* name, const std::vector<std::string>& values) const {
    std::vector<const char*> at;
    std::vector<int> sizes;
    for (const std::string& value : values) {
      at.push_back(value.data());
      sizes.push_back(static_cast<int>(value.size()));
    }
    const std::vector<int> binary(values.size(), 1);
    if (PQsendQueryPrepared(connection, name, static_cast<int>(values.size()), at.data(), sizes.data(), binary.data(),
                            1) != 1)
      Fail(PQerrorMessage(connection));
  }
  void SendText(const char* sql) const {
    if (PQsendQueryParams(connection, sql, 0, nullptr, nullptr, nullptr, nullptr, 1) != 1)
      Fail(PQerrorMessage(connection));
  }
};

PostgresBaseline::PostgresBaseline(const std::string& conninfo, const std::vector<WriteRow>& rows)
    : state_(new State{rows, PQconnectdb(conninfo.c_str()), 0}) {
  PQclear(PQexec(state_->connection, "INSERT INTO pool VALUES ('p', 0, '')"));
  state_->Prepare("member",
                  "INSERT INTO member(pool, id, payload) VALUES ('p', $1, $2) ON CONFLICT (pool, id) DO UPDATE SET "
                  "payload = excluded.payload");
  state_->Prepare("log", "INSERT INTO change_log(pool, revision, subject, payload) VALUES ('p', $1, $2, $3)");
  state_->Prepare(
      "reply", "INSERT INTO reply(pool, request_id, subject, fingerprint, reply, made) VALUES ('p', $1, $2, 1, $3, 1)");
  state_->Prepare("head", "UPDATE pool SET head = $1 WHERE id = 'p'");
  PQenterPipelineMode(state_->connection);
}

PostgresBaseline::~PostgresBaseline() { PQfinish(state_->connection); }

double PostgresBaseline::Rate(int batch, double seconds) {
  State& s = *state_;
  const std::int64_t began = absl::GetCurrentTimeNanos();
  std::int64_t done = 0;
  const auto number = [](std::int64_t value) {
    const std::uint64_t big = htobe64(static_cast<std::uint64_t>(value));
    return std::string(reinterpret_cast<const char*>(&big), sizeof big);
  };
  while (MicrosecondsSince(began) < seconds * 1e6) {
    s.SendText("BEGIN");
    for (int i = 0; i < batch; ++i, ++done) {
      const WriteRow& row = s.rows[static_cast<std::size_t>(s.next) % s.rows.size()];
      const std::string id = "m" + std::to_string(s.next);
      const std::string request = "request-" + std::to_string(++s.next);
      s.Send("member", {id, row.payload});
      s.Send("log", {number(s.next), id, row.log_payload});
      s.Send("reply", {request, id, row.payload});
    }
    s.Send("head", {number(s.next)});
    s.SendText("COMMIT");
    if (PQpipelineSync(s.connection) != 1) Fail(PQerrorMessage(s.connection));
    while (true) {
      PGresult* result = PQgetResult(s.connection);
      const ExecStatusType status = PQresultStatus(result);
      if (status == PGRES_FATAL_ERROR && result != nullptr) Fail(PQresultErrorMessage(result));
      PQclear(result);
      if (status == PGRES_PIPELINE_SYNC) break;
    }
  }
  return static_cast<double>(done) / (MicrosecondsSince(began) / 1e6);
}

}  // namespace warmline::bench
