// A thin layer over one SQLite connection: statements prepared once, typed binding, errors with a remedy.
// Thread-safety: one thread at a time.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace warmline::storage::sqlite {

// A prepared statement while it runs. Reset when it goes out of scope.
class Rows {
 public:
  Rows(sqlite3* connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}
  ~Rows() {
    if (statement_ != nullptr) {
      sqlite3_reset(statement_);
      sqlite3_clear_bindings(statement_);
    }
  }
  Rows(Rows&& other) noexcept : connection_(other.connection_), statement_(std::exchange(other.statement_, nullptr)) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  Rows& operator=(Rows&&) = delete;

  // True when there is a row to read.
  [[nodiscard]] absl::StatusOr<bool> Next();
  [[nodiscard]] std::string Text(int column) const;
  [[nodiscard]] std::int64_t Integer(int column) const { return sqlite3_column_int64(statement_, column); }

 private:
  sqlite3* connection_;
  sqlite3_stmt* statement_;
};

class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  // Opens a file, or makes it. Errors: UNAVAILABLE, INTERNAL, each naming the path and the remedy.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs a statement with `?` arguments: integers, and text or bytes as std::string. `sql` must be a literal: it is the
  // statement's key.
  template <typename... Arguments>
  [[nodiscard]] absl::StatusOr<Rows> Query(const char* sql, const Arguments&... arguments) {
    auto statement = Prepare(sql);
    if (!statement.ok()) return statement.status();
    int index = 0;
    (Bind(*statement, ++index, arguments), ...);
    return Rows(connection_, *statement);
  }
  // The same for statements without rows.
  template <typename... Arguments>
  [[nodiscard]] absl::Status Run(const char* sql, const Arguments&... arguments) {
    auto rows = Query(sql, arguments...);
    if (!rows.ok()) return rows.status();
    return rows->Next().status();
  }
  // Several statements, without arguments.
  [[nodiscard]] absl::Status RunScript(const std::string& sql);
  // For what only SQLite's own functions do.
  [[nodiscard]] sqlite3* handle() const { return connection_; }
  [[nodiscard]] std::int64_t changed_rows() const { return sqlite3_changes64(connection_); }

 private:
  explicit Database(sqlite3* connection) : connection_(connection) {}
  [[nodiscard]] absl::StatusOr<sqlite3_stmt*> Prepare(const char* sql);
  static void Bind(sqlite3_stmt* statement, int index, const std::string& bytes) {
    sqlite3_bind_text(statement, index, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  static void Bind(sqlite3_stmt* statement, int index, std::int64_t value) {
    sqlite3_bind_int64(statement, index, value);
  }

  sqlite3* connection_;
  absl::flat_hash_map<const char*, sqlite3_stmt*> statements_;
};

// An error of SQLite as one that callers can act on.
[[nodiscard]] absl::Status ToStatus(sqlite3* connection, int code);

}  // namespace warmline::storage::sqlite
