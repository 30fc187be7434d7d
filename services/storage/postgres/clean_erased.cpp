// Store::CleanErased: what erased members leave in the tables of the database.
#include <absl/strings/str_cat.h>

#include "storage/postgres/store.h"

namespace warmline::storage::postgres {

using application::Cleaning;

namespace {

// Erasures that are marked at once.
constexpr std::int64_t kErasuresAtOnce = 10'000;
// "erasure" in ASCII: the number of the advisory lock of whoever cleans.
constexpr std::int64_t kCleaningLock = 0x65726173757265;
// VACUUM of large tables takes as long as it takes; it holds up nobody.
constexpr absl::Duration kVacuumTimeout = absl::Hours(6);
// So that many erasures share one.
constexpr absl::Duration kBetweenVacuums = absl::Seconds(10);
constexpr const char* kTables[] = {"member",     "connection", "block", "need",      "introduction",
                                   "change_log", "reply",      "pool",  "statistics"};

}  // namespace

absl::StatusOr<Cleaning> Store::CleanErased(absl::Time now) {
  {
    auto reader = TakeReader();
    if (!reader.ok()) return reader.status();
    auto left = (*reader)->Query("SELECT EXISTS (SELECT 1 FROM erasure WHERE cleaned = 0)::int::bigint");
    const bool nothing = left.ok() && left->Integer(0, 0) == 0;
    GiveBack(*std::move(reader));
    if (!left.ok()) return left.status();
    if (nothing) return Cleaning::kClean;
  }
  if (now - vacuumed_ < kBetweenVacuums && now >= vacuumed_) return Cleaning::kLater;
  // A connection of its own, whose statements may take long.
  ConnectionOptions options = options_.connection;
  options.statement_timeout = kVacuumTimeout;
  options.stop = &stop_cleaning_;
  auto connected = Connection::Open(options);
  if (!connected.ok()) return connected.status();
  Connection& connection = **connected;
  auto locked = connection.Query("SELECT pg_try_advisory_lock($1)::int::bigint", {kCleaningLock});
  // An engine without advisory locks says that it knows no such function: there every process does it. One without
  // VACUUM calls it a syntax error, and takes away dead rows in its own way.
  if (!locked.ok() && connection.error_state() != "42883") return locked.status();
  if (locked.ok() && locked->Integer(0, 0) == 0) return Cleaning::kLater;  // another process does it
  auto erased =
      connection.Query("SELECT pool, hash, revision FROM erasure WHERE cleaned = 0 LIMIT $1", {kErasuresAtOnce});
  if (!erased.ok()) return erased.status();
  for (const char* table : kTables) {
    connection.SendText(absl::StrCat("VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF) ", table));
    if (auto done = connection.Await(); !done.ok() && connection.error_state() != "42601") return done.status();
  }
  vacuumed_ = now;
  std::vector<std::string> pools;
  std::vector<std::string> hashes;
  std::vector<std::int64_t> revisions;
  for (int row = 0; row < erased->rows(); ++row) {
    pools.push_back(erased->Text(row, 0));
    hashes.push_back(erased->Text(row, 1));
    revisions.push_back(erased->Integer(row, 2));
  }
  const auto views = [](const std::vector<std::string>& texts) {
    return std::vector<std::string_view>(texts.begin(), texts.end());
  };
  auto marked = connection.Query(
      "UPDATE erasure e SET cleaned = $4 FROM unnest($1::text[], $2::text[], $3::bigint[]) AS d(pool, hash, revision) "
      "WHERE e.pool = d.pool AND e.hash = d.hash AND e.revision = d.revision",
      {Argument::Texts(views(pools)), Argument::Texts(views(hashes)), Argument::Integers(revisions),
       absl::ToUnixSeconds(now)});
  if (!marked.ok()) return marked.status();
  return erased->rows() < kErasuresAtOnce ? Cleaning::kClean : Cleaning::kMore;
}

}  // namespace warmline::storage::postgres
