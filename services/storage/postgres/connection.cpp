#include "storage/postgres/connection.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <absl/time/clock.h>
#include <endian.h>
#include <poll.h>

#include <array>
#include <cstring>

#include "domain/error.h"

namespace warmline::storage::postgres {
namespace {

// Of PostgreSQL's catalogue (pg_type.dat), the same in every server that speaks the protocol.
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kText = 25;
constexpr Oid kByteaArray = 1001;
constexpr Oid kTextArray = 1009;
constexpr Oid kInt8Array = 1016;
constexpr int kBinary = 1;
constexpr absl::Duration kRetryAfter = absl::Milliseconds(500);
// Beyond the server's own limit on a statement, after which the connection is given up.
constexpr absl::Duration kGrace = absl::Seconds(2);
// How often a wait that may be stopped looks whether it is.
constexpr absl::Duration kStopCheck = absl::Milliseconds(200);

void AppendInt32(std::string& out, std::size_t value) {
  const std::uint32_t big = htobe32(static_cast<std::uint32_t>(value));
  out.append(reinterpret_cast<const char*>(&big), sizeof big);
}

std::string Int64(std::int64_t value) {
  const std::uint64_t big = htobe64(static_cast<std::uint64_t>(value));
  return {reinterpret_cast<const char*>(&big), sizeof big};
}

// The binary form of an array: dimensions, flags, type of an element, size, lower bound; then each with its length.
template <typename Values, typename ToBytes>
std::string Array(const Values& values, Oid element, ToBytes bytes_of) {
  std::string out;
  AppendInt32(out, 1);
  AppendInt32(out, 0);
  AppendInt32(out, element);
  AppendInt32(out, values.size());
  AppendInt32(out, 1);
  for (const auto& value : values) {
    const auto bytes = bytes_of(value);
    AppendInt32(out, bytes.size());
    out.append(bytes);
  }
  return out;
}

std::string Trimmed(const char* message) {
  std::string text(message == nullptr ? "" : message);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

// The name of a prepared statement: its literal's address, which is the statement's within this process.
std::string NameOf(const char* sql) { return absl::StrCat("s", absl::Hex(reinterpret_cast<std::uintptr_t>(sql))); }

}  // namespace

absl::Status ToStatus(const std::string& sqlstate, const std::string& message) {
  using domain::ErrorReason;
  const std::string detail = absl::StrCat("PostgreSQL: ", message, " (", sqlstate, ")");
  const auto unavailable = [&](const char* what) {
    return domain::MakeError(ErrorReason::kStoreUnavailable, absl::StrCat(what, detail), kRetryAfter);
  };
  if (sqlstate == "53100")
    return domain::MakeError(ErrorReason::kStoreFull,
                             absl::StrCat("the database's disk is full: make room, then try again. ", detail),
                             absl::Seconds(5));
  if (sqlstate == "55P03" || sqlstate == "57014")
    return unavailable("the database was too slow, or another process holds a lock: try again. ");
  if (absl::StartsWith(sqlstate, "40")) return unavailable("the transaction met another one: try again. ");
  if (absl::StartsWith(sqlstate, "08") || absl::StartsWith(sqlstate, "57") || absl::StartsWith(sqlstate, "53") ||
      sqlstate == "25P03" || sqlstate == "25006")
    return unavailable("the database is away or refuses work: check it. ");
  if (absl::StartsWith(sqlstate, "28") || sqlstate == "3D000" || sqlstate == "42501")
    return unavailable("the database refuses this user: check user, password, database and grants. ");
  if (absl::StartsWith(sqlstate, "58") || absl::StartsWith(sqlstate, "XX"))
    return domain::MakeError(ErrorReason::kInternalDefect,
                             absl::StrCat("the database is damaged or cannot read its disk: see its log. ", detail));
  return domain::MakeError(ErrorReason::kInternalDefect, detail);
}

Argument::Argument(const std::string& text) : value_(text), type_(kText) {}
Argument::Argument(std::int64_t value) : value_(Int64(value)), type_(kInt8) {}
Argument Argument::Bytes(std::string bytes) { return {std::move(bytes), kBytea}; }
Argument Argument::Texts(const std::vector<std::string_view>& values) {
  return {Array(values, kText, [](std::string_view v) { return v; }), kTextArray};
}
Argument Argument::ByteArrays(const std::vector<std::string_view>& values) {
  return {Array(values, kBytea, [](std::string_view v) { return v; }), kByteaArray};
}
Argument Argument::Integers(const std::vector<std::int64_t>& values) {
  return {Array(values, kInt8, Int64), kInt8Array};
}

std::string Result::Text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Result::Integer(int row, int column) const {
  std::uint64_t big = 0;
  if (PQgetlength(result_.get(), row, column) == sizeof big)
    std::memcpy(&big, PQgetvalue(result_.get(), row, column), sizeof big);
  return static_cast<std::int64_t>(be64toh(big));
}

std::int64_t Result::touched() const { return std::atoll(PQcmdTuples(result_.get())); }

Connection::Connection(PGconn* connection, const ConnectionOptions& options)
    : connection_(connection), wait_(options.statement_timeout + kGrace), stop_(options.stop) {}

Connection::~Connection() { PQfinish(connection_); }

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  const std::string timeout = absl::StrCat(
      std::max<std::int64_t>(2, absl::ToInt64Seconds(absl::Ceil(options.connect_timeout, absl::Seconds(1)))));
  // Those before `dbname`, which is the whole connection string, may be overruled by it. A peer that is gone without a
  // word is noticed in seconds.
  const std::array<const char*, 10> keys = {"connect_timeout", "application_name", "tcp_user_timeout",
                                            "keepalives_idle", "keepalives_count", "keepalives_interval",
                                            "dbname",          "client_encoding",  nullptr};
  const std::array<const char*, 10> values = {timeout.c_str(),          "warmline", "5000", "5", "2", "2",
                                              options.conninfo.c_str(), "UTF8",     nullptr};
  PGconn* raw = PQconnectdbParams(keys.data(), values.data(), 1);
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);  // errors are read from results
  std::unique_ptr<Connection> connection(new Connection(raw, options));
  if (PQstatus(raw) != CONNECTION_OK) {
    return domain::MakeError(domain::ErrorReason::kStoreUnavailable,
                             absl::StrCat("cannot connect to the database: check that it runs, and --postgres. ",
                                          Trimmed(PQerrorMessage(raw))),
                             kRetryAfter);
  }
  if (PQsetnonblocking(raw, 1) != 0 || PQenterPipelineMode(raw) != 1)
    return connection->Broken("the connection cannot be used in pipeline mode");
  const auto ms = [](absl::Duration d) { return absl::ToInt64Milliseconds(d); };
  connection->SendText(absl::StrCat("SET statement_timeout = ", ms(options.statement_timeout)));
  connection->SendText(absl::StrCat("SET lock_timeout = ", ms(options.statement_timeout) / 2));
  connection->SendText(
      absl::StrCat("SET idle_in_transaction_session_timeout = ", ms(options.idle_in_transaction_timeout)));
  if (auto set = connection->Await(); !set.ok()) return set.status();
  return connection;
}

absl::Status Connection::Broken(std::string_view what) {
  broken_ = true;
  error_state_.clear();
  return domain::MakeError(domain::ErrorReason::kStoreUnavailable,
                           absl::StrCat("the connection to the database broke: try again. ", std::string(what), ". ",
                                        Trimmed(PQerrorMessage(connection_))),
                           kRetryAfter);
}

void Connection::Send(const char* sql, const std::vector<Argument>& arguments) {
  if (broken_) return;
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;
  for (const Argument& argument : arguments) {
    types.push_back(argument.type());
    values.push_back(argument.value().data());
    lengths.push_back(static_cast<int>(argument.value().size()));
    formats.push_back(kBinary);
  }
  const int count = static_cast<int>(arguments.size());
  const std::string name = NameOf(sql);
  if (prepared_.insert(sql).second) {
    queued_.push_back({false, sql});
    broken_ = PQsendPrepare(connection_, name.c_str(), sql, count, types.data()) != 1;
  }
  queued_.push_back({true, nullptr});
  broken_ = broken_ || PQsendQueryPrepared(connection_, name.c_str(), count, values.data(), lengths.data(),
                                           formats.data(), kBinary) != 1;
}

void Connection::SendText(const std::string& sql) {
  if (broken_) return;
  queued_.push_back({});
  broken_ = PQsendQueryParams(connection_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, kBinary) != 1;
}

absl::Status Connection::WaitFor(short events, absl::Time deadline) {
  while (true) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return Broken("no answer in time");
    if (stop_ != nullptr && *stop_) return Broken("the process ends");
    pollfd wait{PQsocket(connection_), events, 0};
    const absl::Duration slice = stop_ == nullptr ? left : std::min(left, kStopCheck);
    const int ready = poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(slice)) + 1);
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Broken(std::strerror(errno));
  }
}

// Sending may have to wait until results were read, or both sides would wait for each other.
absl::Status Connection::Flush(absl::Time deadline) {
  while (true) {
    const int left = PQflush(connection_);
    if (left < 0) return Broken("sending failed");
    if (left == 0) return absl::OkStatus();
    if (auto status = WaitFor(POLLIN | POLLOUT, deadline); !status.ok()) return status;
    if (PQconsumeInput(connection_) != 1) return Broken("receiving failed");
  }
}

absl::StatusOr<std::vector<Result>> Connection::Await() {
  const absl::Time deadline = absl::Now() + wait_;
  const std::vector<Command> commands = std::exchange(queued_, {});
  error_state_.clear();
  if (broken_ || PQpipelineSync(connection_) != 1) return Broken("sending failed");
  if (auto status = Flush(deadline); !status.ok()) return status;
  std::vector<Result> results;
  absl::Status error;
  std::size_t command = 0;
  while (true) {
    while (PQisBusy(connection_) != 0) {
      if (auto status = WaitFor(POLLIN, deadline); !status.ok()) return status;
      if (PQconsumeInput(connection_) != 1) return Broken("receiving failed");
    }
    PGresult* raw = PQgetResult(connection_);
    if (raw == nullptr) {  // between two commands
      if (PQstatus(connection_) != CONNECTION_OK) return Broken("the server closed it");
      ++command;
      continue;
    }
    Result result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status == PGRES_PIPELINE_SYNC) break;
    const Command did = command < commands.size() ? commands[command] : Command{};
    const bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!done && did.prepares != nullptr) prepared_.erase(did.prepares);
    if (status == PGRES_FATAL_ERROR && error.ok()) {
      const char* state = PQresultErrorField(raw, PG_DIAG_SQLSTATE);
      if (state == nullptr) return Broken("the server closed it");
      error_state_ = state;
      error = ToStatus(error_state_, Trimmed(PQresultErrorField(raw, PG_DIAG_MESSAGE_PRIMARY)));
    } else if (done && did.wanted) {
      results.push_back(std::move(result));
    }
  }
  if (!error.ok()) return error;
  return results;
}

absl::StatusOr<Result> Connection::Query(const char* sql, const std::vector<Argument>& arguments) {
  Send(sql, arguments);
  auto results = Await();
  if (!results.ok()) return results.status();
  return std::move(results->back());
}

}  // namespace warmline::storage::postgres
