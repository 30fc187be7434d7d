// One connection to a server that speaks PostgreSQL's protocol, always in pipeline mode: statements are queued, sent
// together, and their results awaited together, each wait with a limit. Parameters and results are binary.
// Thread-safety: one thread at a time.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <libpq-fe.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace warmline::storage::postgres {

struct ConnectionOptions {
  // As libpq takes it: a URI or keywords, with host, port, user, dbname, sslmode and the like.
  std::string conninfo;
  absl::Duration connect_timeout = absl::Seconds(2);
  // Of one statement, on the server; also how long one waits for a lock.
  absl::Duration statement_timeout = absl::Seconds(10);
  // A transaction that sends nothing for so long is ended by the server, so that a frozen process holds no locks.
  absl::Duration idle_in_transaction_timeout = absl::Seconds(5);
  // Once true, waits end with an error: for statements that may take hours. Must outlive the connection; may be null.
  const std::atomic<bool>* stop = nullptr;
};

// A statement's argument. Arrays are of one dimension.
class Argument {
 public:
  Argument(const std::string& text);         // NOLINT(google-explicit-constructor): reads as a call's argument
  Argument(std::int64_t value);              // NOLINT(google-explicit-constructor)
  static Argument Bytes(std::string bytes);  // bytea
  static Argument Texts(const std::vector<std::string_view>& values);
  static Argument ByteArrays(const std::vector<std::string_view>& values);
  static Argument Integers(const std::vector<std::int64_t>& values);

  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] Oid type() const { return type_; }

 private:
  Argument(std::string value, Oid type) : value_(std::move(value)), type_(type) {}
  std::string value_;
  Oid type_ = 0;
};

// The rows of one statement.
class Result {
 public:
  explicit Result(PGresult* result) : result_(result, PQclear) {}
  [[nodiscard]] int rows() const { return PQntuples(result_.get()); }
  [[nodiscard]] std::string Text(int row, int column) const;  // text or bytea
  [[nodiscard]] bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  [[nodiscard]] std::int64_t Integer(int row, int column) const;
  // Rows that an INSERT, UPDATE or DELETE touched.
  [[nodiscard]] std::int64_t touched() const;

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

class Connection {
 public:
  // Errors: UNAVAILABLE with when to try again; the message says what to check, without secrets.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Queues a statement with $1, $2, … `sql` must be a literal: it is prepared once and known by its address.
  void Send(const char* sql, const std::vector<Argument>& arguments = {});
  // Queues a statement that is not prepared.
  void SendText(const std::string& sql);
  // Sends what is queued and waits for all of it: the results in order, or the first error, after which the others were
  // not run. Error as by ToStatus; `error_state` is then its SQLSTATE ("" when the connection broke).
  [[nodiscard]] absl::StatusOr<std::vector<Result>> Await();
  [[nodiscard]] const std::string& error_state() const { return error_state_; }
  // One statement and its rows.
  [[nodiscard]] absl::StatusOr<Result> Query(const char* sql, const std::vector<Argument>& arguments = {});
  // False once the connection broke: it is of no more use.
  [[nodiscard]] bool alive() const { return !broken_ && PQstatus(connection_) == CONNECTION_OK; }
  [[nodiscard]] bool in_transaction() const { return PQtransactionStatus(connection_) != PQTRANS_IDLE; }

 private:
  explicit Connection(PGconn* connection, const ConnectionOptions& options);
  absl::Status Flush(absl::Time deadline);
  absl::Status WaitFor(short events, absl::Time deadline);
  absl::Status Broken(std::string_view what);

  PGconn* connection_;
  const absl::Duration wait_;
  const std::atomic<bool>* const stop_;
  absl::flat_hash_set<const char*> prepared_;
  struct Command {
    bool wanted = false;             // its result is the caller's
    const char* prepares = nullptr;  // the statement that it prepares
  };
  std::vector<Command> queued_;  // since the last Await
  std::string error_state_;
  bool broken_ = false;
};

// An error of the server as one that callers can act on, by its SQLSTATE.
[[nodiscard]] absl::Status ToStatus(const std::string& sqlstate, const std::string& message);

}  // namespace warmline::storage::postgres
