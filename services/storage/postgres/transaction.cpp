// Begin, items, commit, and what is read within a transaction. What is written: transaction_writes.cpp.
#include "storage/postgres/transaction.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "codec/records.h"
#include "domain/error.h"
#include "storage/postgres/keys.h"
#include "storage/postgres/store.h"

namespace warmline::storage::postgres {

using application::RecordKey;
using application::StoredReply;

Transaction::Transaction(Store& store) : Reader(*store.writer_, store.erasure_key_), store_(store) {}

Transaction::~Transaction() {
  if (over_ || store_.writer_ == nullptr) return;
  connection_.SendText("ROLLBACK");
  if (!connection_.Await().ok()) store_.writer_.reset();
}

absl::Status Transaction::Start(const application::BatchHint& hint) {
  connection_.SendText("BEGIN ISOLATION LEVEL READ COMMITTED");
  std::vector<std::string_view> pools(hint.pools.begin(), hint.pools.end());
  std::sort(pools.begin(), pools.end());
  pools.erase(std::unique(pools.begin(), pools.end()), pools.end());
  // Locks are taken in the order of ids, the same for everybody, so that nobody waits for each other.
  connection_.Send("SELECT id, head FROM pool WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE",
                   {Argument::Texts(pools)});
  SendReads(hint.reads);
  auto results = connection_.Await();
  if (!results.ok()) return results.status();
  for (const std::string_view pool : pools) heads_[std::string(pool)] = 0;
  for (int row = 0; row < results->front().rows(); ++row)
    heads_[results->front().Text(row, 0)] = results->front().Integer(row, 1);
  stored_heads_ = heads_;
  results->erase(results->begin());
  return TakeReads(hint.reads, *std::move(results));
}

absl::Status Transaction::Flush(bool always) {
  if (pending_.empty() && !always) return absl::OkStatus();
  std::size_t from = 0;
  for (Item& item : items_) {
    if (item.savepoint.empty()) {
      pending_.Send(connection_, from, item.writes_at);
      from = item.writes_at;
      item.savepoint = absl::StrCat("item_", ++savepoints_);
      connection_.SendText("SAVEPOINT " + item.savepoint);
    }
    item.writes_at = 0;
  }
  pending_.Send(connection_, from, pending_.size());
  pending_.Clear();
  return connection_.Await().status();
}

absl::Status Transaction::BeginItem() {
  if (items_.empty()) undo_.clear();
  items_.push_back({pending_.size(), changes_.size(), undo_.size(), {}});
  return absl::OkStatus();
}

absl::Status Transaction::EndItem() {
  items_.pop_back();
  return absl::OkStatus();
}

absl::Status Transaction::RollbackItem() {
  const Item item = std::move(items_.back());
  items_.pop_back();
  changes_.resize(item.changes_at);
  log_rows_.resize(item.changes_at);
  pending_.Truncate(item.writes_at);
  for (; undo_.size() > item.undo_at; undo_.pop_back()) undo_.back()();
  if (item.savepoint.empty()) return absl::OkStatus();
  ForgetAll();  // what was read meanwhile may have been written by the item
  connection_.SendText("ROLLBACK TO SAVEPOINT " + item.savepoint);
  return connection_.Await().status();
}

absl::Status Transaction::Commit() {
  over_ = true;
  for (const auto& [pool, head] : heads_) {
    if (head != stored_heads_[pool]) connection_.Send("UPDATE pool SET head = $2 WHERE id = $1", {pool, head});
  }
  pending_.Send(connection_, 0, pending_.size());
  connection_.SendText("COMMIT");
  auto committed = connection_.Await();
  if (committed.ok()) return absl::OkStatus();
  absl::Status status = committed.status();
  if (connection_.alive()) {
    connection_.SendText("ROLLBACK");
    if (connection_.Await().ok()) return status;
  }
  const bool unknown = !connection_.alive();
  store_.writer_.reset();
  if (!unknown) return status;
  return domain::MakeError(domain::ReasonOf(status),
                           absl::StrCat("whether the write was kept is not known: retry it with the same request_id, "
                                        "or read first. ",
                                        std::string(status.message())),
                           domain::RetryAfterOf(status));
}

template <typename T, typename Read>
absl::StatusOr<std::optional<T>> Transaction::Remember(Known<T>& known, const std::string& key, Read read) {
  if (const auto found = known.find(key); found != known.end()) return found->second;
  absl::StatusOr<std::optional<T>> value = read();
  if (value.ok()) known[key] = *value;
  return value;
}

template <typename Read>
absl::StatusOr<std::int64_t> Transaction::RememberCount(const std::string& key, Read read) {
  if (const auto found = counts_.find(key); found != counts_.end()) return found->second;
  absl::StatusOr<std::int64_t> value = read();
  if (value.ok()) counts_[key] = *value;
  return value;
}

void Transaction::ForgetAll() {
  pools_.clear();
  members_.clear();
  connections_.clear();
  blocks_.clear();
  needs_.clear();
  introductions_.clear();
  replies_.clear();
  counts_.clear();
}

absl::StatusOr<std::optional<domain::Pool>> Transaction::GetPool(const std::string& pool) {
  return Remember(pools_, pool, [&] { return Reader::GetPool(pool); });
}
absl::StatusOr<std::optional<domain::Member>> Transaction::GetMember(const std::string& pool, const std::string& id) {
  return Remember(members_, KeyOf(pool, id), [&] { return Reader::GetMember(pool, id); });
}
absl::StatusOr<std::optional<domain::Connection>> Transaction::GetConnection(const std::string& pool,
                                                                             const std::string& a,
                                                                             const std::string& b) {
  return Remember(connections_, KeyOf(pool, a, b), [&] { return Reader::GetConnection(pool, a, b); });
}
absl::StatusOr<std::optional<domain::Block>> Transaction::GetBlock(const std::string& pool, const std::string& blocker,
                                                                   const std::string& blocked) {
  return Remember(blocks_, KeyOf(pool, blocker, blocked), [&] { return Reader::GetBlock(pool, blocker, blocked); });
}
absl::StatusOr<std::optional<domain::Need>> Transaction::GetNeed(const std::string& pool, const std::string& id) {
  return Remember(needs_, KeyOf(pool, id), [&] { return Reader::GetNeed(pool, id); });
}
absl::StatusOr<std::optional<domain::Introduction>> Transaction::GetIntroduction(const std::string& pool,
                                                                                 const std::string& id) {
  return Remember(introductions_, KeyOf(pool, id), [&] { return Reader::GetIntroduction(pool, id); });
}
absl::StatusOr<std::int64_t> Transaction::CountConnectionsOf(const std::string& pool, const std::string& member) {
  return RememberCount(KeyOf("ties", pool, member), [&] { return Reader::CountConnectionsOf(pool, member); });
}
absl::StatusOr<std::int64_t> Transaction::CountBlocksOf(const std::string& pool, const std::string& blocker) {
  return RememberCount(KeyOf("blocks", pool, blocker), [&] { return Reader::CountBlocksOf(pool, blocker); });
}
absl::StatusOr<std::int64_t> Transaction::CountOpenNeedsOf(const std::string& pool, const std::string& seeker) {
  return RememberCount(KeyOf("needs", pool, seeker), [&] { return Reader::CountOpenNeedsOf(pool, seeker); });
}

absl::StatusOr<std::int64_t> Transaction::HeadRevision(const std::string& pool) {
  if (const auto known = heads_.find(pool); known != heads_.end()) return known->second;
  auto rows = Query("SELECT head FROM pool WHERE id = $1 FOR UPDATE", {pool});
  if (!rows.ok()) return rows.status();
  const std::int64_t head = rows->rows() == 0 ? 0 : rows->Integer(0, 0);
  if (head > 0) stored_heads_[pool] = heads_[pool] = head;  // one that is not there is not locked either
  return head;
}

absl::StatusOr<std::optional<StoredReply>> Transaction::GetReply(const std::string& pool,
                                                                 const std::string& request_id) {
  return Remember(replies_, KeyOf(pool, request_id), [&]() -> absl::StatusOr<std::optional<StoredReply>> {
    auto rows = Query("SELECT fingerprint, reply FROM reply WHERE pool = $1 AND request_id = $2", {pool, request_id});
    if (!rows.ok()) return rows.status();
    if (rows->rows() == 0) return std::optional<StoredReply>();
    return std::optional<StoredReply>({static_cast<std::uint64_t>(rows->Integer(0, 0)), rows->Text(0, 1)});
  });
}

namespace {

// The keys of one kind, as columns.
struct Columns {
  std::vector<std::string_view> pools;
  std::vector<std::string_view> a;
  std::vector<std::string_view> b;
};

Columns ColumnsOf(const std::vector<RecordKey>& reads, RecordKey::Kind kind) {
  Columns columns;
  for (const RecordKey& key : reads) {
    if (key.kind != kind) continue;
    columns.pools.push_back(key.pool);
    columns.a.push_back(key.a);
    columns.b.push_back(key.b);
  }
  return columns;
}

// Each in one statement: pool, id or pair, and what belongs to it. LIMIT 1, which the keys imply, has every key looked
// up by itself, whatever the planner believes of the table's size.
struct Prefetch {
  RecordKey::Kind kind;
  bool pair;
  const char* sql;
};
constexpr Prefetch kPrefetches[] = {
    {RecordKey::Kind::kMember, false,
     "SELECT k.pool, k.a, r.payload FROM unnest($1::text[], $2::text[]) AS k(pool, a) CROSS JOIN LATERAL (SELECT "
     "payload FROM member WHERE pool = k.pool AND id = k.a LIMIT 1) AS r"},
    {RecordKey::Kind::kNeed, false,
     "SELECT k.pool, k.a, r.payload FROM unnest($1::text[], $2::text[]) AS k(pool, a) CROSS JOIN LATERAL (SELECT "
     "payload FROM need WHERE pool = k.pool AND id = k.a LIMIT 1) AS r"},
    {RecordKey::Kind::kIntroduction, false,
     "SELECT k.pool, k.a, r.payload FROM unnest($1::text[], $2::text[]) AS k(pool, a) CROSS JOIN LATERAL (SELECT "
     "payload FROM introduction WHERE pool = k.pool AND id = k.a LIMIT 1) AS r"},
    {RecordKey::Kind::kReply, false,
     "SELECT k.pool, k.a, r.reply, r.fingerprint FROM unnest($1::text[], $2::text[]) AS k(pool, a) CROSS JOIN LATERAL "
     "(SELECT reply, fingerprint FROM reply WHERE pool = k.pool AND request_id = k.a LIMIT 1) AS r"},
    {RecordKey::Kind::kConnection, true,
     "SELECT k.pool, k.a, r.payload, k.b FROM unnest($1::text[], $2::text[], $3::text[]) AS k(pool, a, b) CROSS JOIN "
     "LATERAL (SELECT payload FROM connection WHERE pool = k.pool AND a = k.a AND b = k.b LIMIT 1) AS r"},
    {RecordKey::Kind::kBlock, true,
     "SELECT k.pool, k.a, ''::bytea, k.b FROM unnest($1::text[], $2::text[], $3::text[]) AS k(pool, a, b) CROSS JOIN "
     "LATERAL (SELECT 1 FROM block WHERE pool = k.pool AND blocker = k.a AND blocked = k.b LIMIT 1) AS r"},
    {RecordKey::Kind::kConnectionCount, false,
     "SELECT k.pool, k.a, (SELECT count(*) FROM connection c WHERE c.pool = k.pool AND c.a = k.a) + (SELECT count(*) "
     "FROM connection c WHERE c.pool = k.pool AND c.b = k.a) FROM unnest($1::text[], $2::text[]) AS k(pool, a)"},
    {RecordKey::Kind::kBlockCount, false,
     "SELECT k.pool, k.a, (SELECT count(*) FROM block x WHERE x.pool = k.pool AND x.blocker = k.a) FROM "
     "unnest($1::text[], $2::text[]) AS k(pool, a)"},
    {RecordKey::Kind::kOpenNeedCount, false,
     "SELECT k.pool, k.a, (SELECT count(*) FROM need n WHERE n.pool = k.pool AND n.seeker = k.a AND n.is_open = 1) "
     "FROM unnest($1::text[], $2::text[]) AS k(pool, a)"},
};

}  // namespace

void Transaction::SendReads(const std::vector<RecordKey>& reads) {
  for (const Prefetch& prefetch : kPrefetches) {
    const Columns columns = ColumnsOf(reads, prefetch.kind);
    if (columns.a.empty()) continue;
    std::vector<Argument> arguments = {Argument::Texts(columns.pools), Argument::Texts(columns.a)};
    if (prefetch.pair) arguments.push_back(Argument::Texts(columns.b));
    connection_.Send(prefetch.sql, arguments);
  }
}

absl::Status Transaction::TakeReads(const std::vector<RecordKey>& reads, std::vector<Result> results) {
  for (const RecordKey& key : reads) {  // there is none, unless a row says otherwise
    const std::string pair = KeyOf(key.pool, key.a, key.b);
    const std::string id = KeyOf(key.pool, key.a);
    if (key.kind == RecordKey::Kind::kMember) members_[id] = std::nullopt;
    if (key.kind == RecordKey::Kind::kNeed) needs_[id] = std::nullopt;
    if (key.kind == RecordKey::Kind::kIntroduction) introductions_[id] = std::nullopt;
    if (key.kind == RecordKey::Kind::kReply) replies_[id] = std::nullopt;
    if (key.kind == RecordKey::Kind::kConnection) connections_[pair] = std::nullopt;
    if (key.kind == RecordKey::Kind::kBlock) blocks_[pair] = std::nullopt;
  }
  std::size_t next = 0;
  absl::Status damaged;
  const auto keep = [&](auto& known, const std::string& key, auto value) {
    if (value.ok()) {
      known[key] = *std::move(value);
    } else {
      damaged.Update(value.status());
    }
  };
  for (const Prefetch& prefetch : kPrefetches) {
    if (ColumnsOf(reads, prefetch.kind).a.empty()) continue;
    const Result& rows = results[next++];
    for (int row = 0; row < rows.rows(); ++row) {
      const std::string pool = rows.Text(row, 0);
      const std::string a = rows.Text(row, 1);
      switch (prefetch.kind) {
        case RecordKey::Kind::kMember:
          keep(members_, KeyOf(pool, a), codec::DecodeMember(pool, rows.Text(row, 2)));
          break;
        case RecordKey::Kind::kNeed:
          keep(needs_, KeyOf(pool, a), codec::DecodeNeed(pool, rows.Text(row, 2)));
          break;
        case RecordKey::Kind::kIntroduction:
          keep(introductions_, KeyOf(pool, a), codec::DecodeIntroduction(pool, rows.Text(row, 2)));
          break;
        case RecordKey::Kind::kReply:
          replies_[KeyOf(pool, a)] = StoredReply{static_cast<std::uint64_t>(rows.Integer(row, 3)), rows.Text(row, 2)};
          break;
        case RecordKey::Kind::kConnection:
          keep(connections_, KeyOf(pool, a, rows.Text(row, 3)), codec::DecodeConnection(pool, rows.Text(row, 2)));
          break;
        case RecordKey::Kind::kBlock:
          blocks_[KeyOf(pool, a, rows.Text(row, 3))] = domain::Block{a, rows.Text(row, 3)};
          break;
        case RecordKey::Kind::kConnectionCount:
          counts_[KeyOf("ties", pool, a)] = rows.Integer(row, 2);
          break;
        case RecordKey::Kind::kBlockCount:
          counts_[KeyOf("blocks", pool, a)] = rows.Integer(row, 2);
          break;
        case RecordKey::Kind::kOpenNeedCount:
          counts_[KeyOf("needs", pool, a)] = rows.Integer(row, 2);
          break;
        case RecordKey::Kind::kErasure:  // reads nothing
          break;
      }
    }
  }
  return damaged;
}

}  // namespace warmline::storage::postgres
