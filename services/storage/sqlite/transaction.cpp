#include "storage/sqlite/transaction.h"

#include <absl/strings/str_cat.h>

#include "codec/records.h"
#include "domain/error.h"
#include "storage/introduction_columns.h"
#include "storage/sqlite/store.h"

namespace warmline::storage::sqlite {
namespace {

using application::StoredReply;

// How long a reply is kept for retries.
constexpr std::int64_t kReplySeconds = 24 * 3600;
// How often older ones are looked for.
constexpr absl::Duration kBetweenCleanings = absl::Minutes(1);
// Generations of statistics kept beside the newest, for replay.
constexpr std::int64_t kOldGenerations = 8;
// A commit does not wait for readers longer than a moment (milliseconds); then the time of Database::Open again.
constexpr char kCutLog[] = "PRAGMA busy_timeout=50; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout=1000";

}  // namespace

Transaction::Transaction(Store& store) : Reader(*store.writer_, store.erasure_key_), store_(store) {}

Transaction::~Transaction() {
  if (!over_ && store_.writer_ != nullptr && !database_.RunScript("ROLLBACK").ok()) store_.writer_.reset();
}

absl::Status Transaction::BeginItem() {
  items_.push_back({changes_.size(), heads_});
  return database_.Run("SAVEPOINT item");
}

absl::Status Transaction::EndItem() {
  items_.pop_back();
  return database_.Run("RELEASE item");
}

absl::Status Transaction::RollbackItem() {
  changes_.resize(items_.back().changes);
  log_rows_.resize(changes_.size());
  heads_ = std::move(items_.back().heads);
  items_.pop_back();
  if (auto status = database_.Run("ROLLBACK TO item"); !status.ok()) return status;
  return database_.Run("RELEASE item");
}

absl::StatusOr<std::int64_t> Transaction::NextRevision(const std::string& pool) {
  auto head = HeadRevision(pool);
  if (!head.ok()) return head;
  if (*head == 0)
    return domain::MakeError(domain::ErrorReason::kPoolNotFound,
                             absl::StrCat("pools/", pool, " does not exist: create it first"));
  return heads_[pool] = *head + 1;
}

absl::StatusOr<std::int64_t> Transaction::HeadRevision(const std::string& pool) {
  if (const auto known = heads_.find(pool); known != heads_.end()) return known->second;
  auto head = Reader::HeadRevision(pool);
  if (head.ok() && *head > 0) heads_[pool] = *head;
  return head;
}

absl::Status Transaction::Log(const std::string& pool, std::int64_t revision, const std::string& subject,
                              const std::string& object, domain::ChangeBody body, const codec::ErasedName& erased) {
  std::string payload = codec::EncodeChange(pool, body, erased);
  auto status = database_.Run(
      "INSERT INTO change_log(pool, revision, subject, object, payload) VALUES (?, ?, nullif(?, ''), nullif(?, ''), ?)",
      pool, revision, subject, object, payload);
  if (!status.ok()) return status;
  log_rows_.push_back({pool, revision, std::move(payload), std::holds_alternative<domain::MemberErased>(body)});
  changes_.emplace_back(pool, domain::Change{revision, std::move(body)});
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> Transaction::Put(domain::Pool& pool) {
  auto head = HeadRevision(pool.id);
  if (!head.ok()) return head.status();
  pool.revision = *head + 1;
  const auto status = database_.Run(
      "INSERT INTO pool(id, head, payload) VALUES (?, ?, ?) ON CONFLICT(id) DO UPDATE SET head = excluded.head, "
      "payload = excluded.payload",
      pool.id, pool.revision, codec::Encode(pool));
  if (!status.ok()) return status;
  heads_[pool.id] = pool.revision;
  if (auto logged = Log(pool.id, pool.revision, "", "", pool); !logged.ok()) return logged;
  return pool.revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, domain::Member& member) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  member.revision = *revision;
  if (auto status = database_.Run("INSERT OR REPLACE INTO member(pool, id, payload) VALUES (?, ?, ?)", pool, member.id,
                                  codec::Encode(pool, member));
      !status.ok())
    return status;
  if (auto logged = Log(pool, *revision, member.id, "", member); !logged.ok()) return logged;
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, domain::Connection& connection) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  connection.revision = *revision;
  if (auto status = database_.Run("INSERT OR REPLACE INTO connection(pool, a, b, payload) VALUES (?, ?, ?, ?)", pool,
                                  connection.a, connection.b, codec::Encode(pool, connection));
      !status.ok()) {
    return status;
  }
  if (auto logged = Log(pool, *revision, connection.a, connection.b, connection); !logged.ok()) return logged;
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, const domain::Block& block) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  if (auto status = database_.Run("INSERT OR REPLACE INTO block(pool, blocker, blocked) VALUES (?, ?, ?)", pool,
                                  block.blocker, block.blocked);
      !status.ok())
    return status;
  if (auto logged = Log(pool, *revision, block.blocker, block.blocked, block); !logged.ok()) return logged;
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, domain::Need& need) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  need.revision = *revision;
  if (auto status = database_.Run(
          "INSERT OR REPLACE INTO need(pool, id, seeker, open, payload, excludes) VALUES (?, ?, ?, ?, ?, ?)", pool,
          need.id, need.seeker, std::int64_t{need.state == domain::NeedState::kOpen}, codec::Encode(pool, need),
          std::int64_t{!need.constraints.exclude_members.empty()});
      !status.ok()) {
    return status;
  }
  if (auto logged = Log(pool, *revision, need.seeker, "", need); !logged.ok()) return logged;
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, const domain::Statistics& statistics) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  if (auto status = database_.Run("INSERT OR REPLACE INTO statistics(pool, generation, payload) VALUES (?, ?, ?)", pool,
                                  statistics.generation, codec::Encode(statistics));
      !status.ok())
    return status;
  if (auto status = database_.Run("DELETE FROM statistics WHERE pool = ? AND generation < ?", pool,
                                  statistics.generation - kOldGenerations);
      !status.ok())
    return status;
  if (auto logged = Log(pool, *revision, "", "", statistics); !logged.ok()) return logged;
  return revision;
}

absl::Status Transaction::DropStatistics(const std::string& pool, std::int64_t before) {
  return database_.Run("DELETE FROM statistics WHERE pool = ? AND generation < ?", pool, before);
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, domain::Introduction& introduction) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  introduction.revision = *revision;
  const IntroductionColumns columns = IntroductionColumns::Of(introduction);
  if (auto status =
          database_.Run("INSERT OR REPLACE INTO introduction(pool, id, seeker, helper, introducer, flags, asked, due, "
                        "payload) VALUES "
                        "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        pool, introduction.id, introduction.seeker, introduction.helper, introduction.introducer,
                        columns.flags, columns.asked, columns.due, codec::Encode(pool, introduction));
      !status.ok()) {
    return status;
  }
  if (auto logged = Log(pool, *revision, introduction.seeker, introduction.helper, domain::ChangeOf(introduction));
      !logged.ok())
    return logged;
  domain::MarkStored(introduction);
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, const domain::Notice& notice) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  if (auto logged = Log(pool, *revision, notice.member, "", notice); !logged.ok()) return logged;
  return revision;
}

absl::Status Transaction::PutOutbox(const std::string& pool, const application::OutboxPosition& position) {
  return database_.Run("INSERT OR REPLACE INTO outbox(pool, revision, holder, held_until) VALUES (?, ?, ?, ?)", pool,
                       position.revision, position.holder, absl::ToUnixMicros(position.held_until));
}

absl::StatusOr<std::int64_t> Transaction::DeleteIntroduction(const std::string& pool, const std::string& id) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  if (auto status = database_.Run("DELETE FROM introduction WHERE pool = ? AND id = ?", pool, id); !status.ok())
    return status;
  if (auto logged = Log(pool, *revision, "", "", domain::IntroductionErased{id}); !logged.ok()) return logged;
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::DeleteConnection(const std::string& pool, const std::string& a,
                                                           const std::string& b) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  if (auto status = database_.Run("DELETE FROM connection WHERE pool = ? AND a = ? AND b = ?", pool, a, b);
      !status.ok())
    return status;
  if (auto logged = Log(pool, *revision, a, b, domain::ConnectionDeleted{a, b}); !logged.ok()) return logged;
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::DeleteBlock(const std::string& pool, const std::string& blocker,
                                                      const std::string& blocked) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  if (auto status =
          database_.Run("DELETE FROM block WHERE pool = ? AND blocker = ? AND blocked = ?", pool, blocker, blocked);
      !status.ok())
    return status;
  if (auto logged = Log(pool, *revision, blocker, blocked, domain::BlockDeleted{blocker, blocked}); !logged.ok())
    return logged;
  return revision;
}

absl::StatusOr<std::optional<StoredReply>> Transaction::GetReply(const std::string& pool,
                                                                 const std::string& request_id) {
  auto rows =
      database_.Query("SELECT fingerprint, reply FROM reply WHERE pool = ? AND request_id = ?", pool, request_id);
  if (!rows.ok()) return rows.status();
  auto row = rows->Next();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<StoredReply>();
  return std::optional<StoredReply>({static_cast<std::uint64_t>(rows->Integer(0)), rows->Text(1)});
}

absl::Status Transaction::PutReply(const std::string& pool, const std::string& request_id, const std::string& subject,
                                   const StoredReply& reply, absl::Time now) {
  const std::int64_t seconds = absl::ToUnixSeconds(now);
  if (now - store_.replies_cleaned_ >= kBetweenCleanings || now < store_.replies_cleaned_) {
    store_.replies_cleaned_ = now;
    if (auto status = database_.Run("DELETE FROM reply WHERE made < ?", seconds - kReplySeconds); !status.ok())
      return status;
  }
  return database_.Run(
      "INSERT INTO reply(pool, request_id, subject, fingerprint, reply, made) VALUES (?, ?, ?, ?, ?, ?)", pool,
      request_id, subject, static_cast<std::int64_t>(reply.fingerprint), reply.reply, seconds);
}

absl::Status Transaction::Commit() {
  over_ = true;
  absl::Status status;
  for (const auto& [pool, head] : heads_) {
    if (status.ok()) status = database_.Run("UPDATE pool SET head = ? WHERE id = ? AND head < ?", head, pool, head);
  }
  if (status.ok()) status = database_.Run("COMMIT");
  if (!status.ok()) {
    // After a failed sync the pages in memory are not to be trusted (Rebello et al. 2020, "Can applications recover
    // from fsync failures?"): the connection is closed, and the next transaction starts from what the file says.
    (void)database_.RunScript("ROLLBACK");
    store_.writer_.reset();
    return status;
  }
  // What was erased must not stay in the log file either. Readers may hold it back: then Store::CleanErased does it.
  if (erased_) (void)database_.RunScript(kCutLog);
  return absl::OkStatus();
}

}  // namespace warmline::storage::sqlite
