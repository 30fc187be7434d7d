#include "storage/sqlite/database.h"

#include <absl/strings/str_cat.h>

#include "domain/error.h"
#include "storage/sqlite/clean_pages.h"

namespace warmline::storage::sqlite {
namespace {

// How long a statement waits for a lock that another process holds.
constexpr int kBusyTimeoutMs = 1000;
constexpr absl::Duration kRetryAfter = absl::Milliseconds(500);

}  // namespace

absl::Status ToStatus(sqlite3* connection, int code) {
  const std::string detail =
      absl::StrCat("SQLite: ", connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection), " (code ",
                   connection == nullptr ? code : sqlite3_extended_errcode(connection), ")");
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return domain::MakeError(
          domain::ErrorReason::kStoreUnavailable,
          absl::StrCat("the database is locked by another process; end it, then try again. ", detail), kRetryAfter);
    case SQLITE_FULL:
      return domain::MakeError(domain::ErrorReason::kStoreFull,
                               absl::StrCat("the disk is full: make room, then try again. ", detail), absl::Seconds(5));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return domain::MakeError(
          domain::ErrorReason::kInternalDefect,
          absl::StrCat("the database file is damaged or is no database: restore it from a backup. ", detail));
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return domain::MakeError(
          domain::ErrorReason::kStoreUnavailable,
          absl::StrCat("the database cannot be read or written: check the disk, its mount and the permissions. ",
                       detail),
          kRetryAfter);
    default:
      return domain::MakeError(domain::ErrorReason::kInternalDefect, detail);
  }
}

absl::StatusOr<bool> Rows::Next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ToStatus(connection_, code);
}

std::string Rows::Text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Mode mode) {
  sqlite3* connection = nullptr;
  const int flags = mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code =
      sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, CleanVfs());
  std::unique_ptr<Database> database(new Database(connection));
  if (code != SQLITE_OK) {
    const absl::Status status = ToStatus(connection, code);
    return domain::MakeError(domain::ReasonOf(status), absl::StrCat(path, ": ", std::string(status.message())),
                             domain::RetryAfterOf(status));
  }
  sqlite3_busy_timeout(connection, kBusyTimeoutMs);
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(connection_);
}

absl::StatusOr<sqlite3_stmt*> Database::Prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return ToStatus(connection_, code);
  }
  return statement;
}

absl::Status Database::RunScript(const std::string& sql) {
  const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(connection_, code);
}

}  // namespace warmline::storage::sqlite
