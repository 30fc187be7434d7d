#include "storage/postgres/pending_writes.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <array>
#include <tuple>

namespace warmline::storage::postgres {
namespace {

using Write = PendingWrites::Write;
using Table = PendingWrites::Table;
using Rows = std::vector<const Write*>;

constexpr std::size_t kTables = 9;

Argument Texts(const Rows& rows, std::string Write::*field) {
  std::vector<std::string_view> values;
  values.reserve(rows.size());
  for (const Write* row : rows) values.push_back(row->*field);
  return Argument::Texts(values);
}

Argument Payloads(const Rows& rows) {
  std::vector<std::string_view> values;
  values.reserve(rows.size());
  for (const Write* row : rows) values.push_back(row->payload);
  return Argument::ByteArrays(values);
}

Argument Numbers(const Rows& rows, std::int64_t Write::*field) {
  std::vector<std::int64_t> values;
  values.reserve(rows.size());
  for (const Write* row : rows) values.push_back(row->*field);
  return Argument::Integers(values);
}

void SendPuts(Connection& connection, Table table, const Rows& rows) {
  const Argument pools = Texts(rows, &Write::pool);
  const auto a = [&] { return Texts(rows, &Write::a); };
  const auto b = [&] { return Texts(rows, &Write::b); };
  switch (table) {
    case Table::kPool:
      connection.Send(
          "UPDATE pool SET payload = new.payload FROM unnest($1::text[], $2::bytea[]) AS new(id, payload) "
          "WHERE pool.id = new.id",
          {pools, Payloads(rows)});
      return;
    case Table::kMember:
      connection.Send(
          "INSERT INTO member(pool, id, payload) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[]) "
          "ON CONFLICT (pool, id) DO UPDATE SET payload = excluded.payload",
          {pools, a(), Payloads(rows)});
      return;
    case Table::kConnection:
      connection.Send(
          "INSERT INTO connection(pool, a, b, payload) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], "
          "$4::bytea[]) ON CONFLICT (pool, a, b) DO UPDATE SET payload = excluded.payload",
          {pools, a(), b(), Payloads(rows)});
      return;
    case Table::kBlock:
      connection.Send(
          "INSERT INTO block(pool, blocker, blocked) SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) "
          "ON CONFLICT (pool, blocker, blocked) DO NOTHING",
          {pools, a(), b()});
      return;
    case Table::kNeed:
      connection.Send(
          "INSERT INTO need(pool, id, seeker, is_open, excludes, payload) SELECT * FROM unnest($1::text[], $2::text[], "
          "$3::text[], $4::bigint[], $5::bigint[], $6::bytea[]) ON CONFLICT (pool, id) DO UPDATE SET seeker = "
          "excluded.seeker, is_open = excluded.is_open, excludes = excluded.excludes, payload = excluded.payload",
          {pools, a(), b(), Numbers(rows, &Write::number), Numbers(rows, &Write::time), Payloads(rows)});
      return;
    case Table::kStatistics:
      connection.Send(
          "INSERT INTO statistics(pool, generation, payload) SELECT * FROM unnest($1::text[], $2::bigint[], "
          "$3::bytea[]) ON CONFLICT (pool, generation) DO UPDATE SET payload = excluded.payload",
          {pools, Numbers(rows, &Write::number), Payloads(rows)});
      return;
    case Table::kChangeLog:
      connection.Send(
          "INSERT INTO change_log(pool, revision, subject, object, payload) SELECT pool, revision, "
          "nullif(subject, ''), nullif(object, ''), payload FROM unnest($1::text[], $2::bigint[], $3::text[], "
          "$4::text[], $5::bytea[]) AS new(pool, revision, subject, object, payload)",
          {pools, Numbers(rows, &Write::number), a(), b(), Payloads(rows)});
      return;
    case Table::kIntroduction:
      connection.Send(
          "INSERT INTO introduction(pool, id, seeker, helper, introducer, flags, asked, due, payload) SELECT * FROM "
          "unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], "
          "$8::bigint[], $9::bytea[]) ON CONFLICT (pool, id) DO UPDATE SET introducer = excluded.introducer, flags = "
          "excluded.flags, asked = excluded.asked, due = excluded.due, payload = excluded.payload",
          {pools, a(), b(), Texts(rows, &Write::c), Texts(rows, &Write::d), Numbers(rows, &Write::number),
           Numbers(rows, &Write::asked), Numbers(rows, &Write::time), Payloads(rows)});
      return;
    case Table::kReply:
      connection.Send(
          "INSERT INTO reply(pool, request_id, subject, fingerprint, reply, made) SELECT * FROM unnest($1::text[], "
          "$2::text[], $3::text[], $4::bigint[], $5::bytea[], $6::bigint[])",
          {pools, a(), b(), Numbers(rows, &Write::number), Payloads(rows), Numbers(rows, &Write::time)});
      return;
  }
}

void SendDeletes(Connection& connection, Table table, const Rows& rows) {
  const std::vector<Argument> keys = {Texts(rows, &Write::pool), Texts(rows, &Write::a), Texts(rows, &Write::b)};
  if (table == Table::kConnection) {
    connection.Send(
        "DELETE FROM connection USING unnest($1::text[], $2::text[], $3::text[]) AS gone(pool, a, b) "
        "WHERE connection.pool = gone.pool AND connection.a = gone.a AND connection.b = gone.b",
        keys);
  } else {
    connection.Send(
        "DELETE FROM block USING unnest($1::text[], $2::text[], $3::text[]) AS gone(pool, blocker, blocked) "
        "WHERE block.pool = gone.pool AND block.blocker = gone.blocker AND block.blocked = gone.blocked",
        keys);
  }
}

}  // namespace

void PendingWrites::Send(Connection& connection, std::size_t begin, std::size_t end) const {
  // The record of a write: rows of these tables differ in their numbers as well.
  using Key = std::tuple<Table, std::string_view, std::string_view, std::string_view, std::int64_t>;
  absl::flat_hash_map<Key, const Write*> last;
  for (std::size_t i = begin; i < end; ++i) {
    const Write& w = writes_[i];
    const bool by_number = w.table == Table::kStatistics || w.table == Table::kChangeLog;
    const bool by_pair = w.table == Table::kConnection || w.table == Table::kBlock;
    last[Key(w.table, w.pool, by_number || w.table == Table::kPool ? "" : std::string_view(w.a),
             by_pair ? std::string_view(w.b) : "", by_number ? w.number : 0)] = &w;
  }
  std::array<Rows, kTables> puts;
  std::array<Rows, kTables> deletes;
  for (const auto& [key, write] : last)
    (write->remove ? deletes : puts)[static_cast<std::size_t>(write->table)].push_back(write);
  for (std::size_t table = 0; table < kTables; ++table) {
    if (!puts[table].empty()) SendPuts(connection, static_cast<Table>(table), puts[table]);
    if (!deletes[table].empty()) SendDeletes(connection, static_cast<Table>(table), deletes[table]);
  }
}

}  // namespace warmline::storage::postgres
