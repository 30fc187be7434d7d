// What a transaction writes: each write takes a revision, is known at once, and waits to be sent.
#include <absl/strings/str_cat.h>

#include "codec/records.h"
#include "domain/error.h"
#include "storage/introduction_columns.h"
#include "storage/postgres/keys.h"
#include "storage/postgres/store.h"
#include "storage/postgres/transaction.h"

namespace warmline::storage::postgres {
namespace {

using application::StoredReply;
using Table = PendingWrites::Table;

// How long a reply is kept for retries, and how often older ones are looked for.
constexpr std::int64_t kReplySeconds = 24 * 3600;
constexpr absl::Duration kBetweenCleanings = absl::Minutes(1);
// Generations of statistics kept beside the newest, for replay and for replicas that follow.
constexpr std::int64_t kOldGenerations = 8;

std::int64_t IsOpen(const domain::Need& need) { return need.state == domain::NeedState::kOpen ? 1 : 0; }

}  // namespace

template <typename T>
void Transaction::Learn(Known<T>& known, const std::string& key, std::optional<T> value) {
  const auto found = known.find(key);
  std::optional<std::optional<T>> before;
  if (found != known.end()) before = found->second;
  undo_.emplace_back([&known, key, before = std::move(before)] {
    if (before) {
      known[key] = *before;
    } else {
      known.erase(key);
    }
  });
  known[key] = std::move(value);
}

void Transaction::AdjustCount(const std::string& key, std::optional<std::int64_t> by) {
  const auto found = counts_.find(key);
  if (found == counts_.end()) return;
  undo_.emplace_back([this, key, before = found->second] { counts_[key] = before; });
  if (by) {
    found->second += *by;
  } else {
    counts_.erase(found);
  }
}

absl::StatusOr<std::int64_t> Transaction::LockedHead(const std::string& pool) {
  auto head = HeadRevision(pool);
  if (head.ok() && *head == 0)
    return domain::MakeError(domain::ErrorReason::kPoolNotFound,
                             absl::StrCat("pools/", pool, " does not exist: create it first"));
  return head;
}

absl::StatusOr<std::int64_t> Transaction::NextRevision(const std::string& pool) {
  auto head = LockedHead(pool);
  if (!head.ok()) return head;
  undo_.emplace_back([this, pool, before = *head] { heads_[pool] = before; });
  return heads_[pool] = *head + 1;
}

void Transaction::Log(const std::string& pool, std::int64_t revision, const std::string& subject,
                      const std::string& object, domain::ChangeBody body, const codec::ErasedName& erased) {
  std::string payload = codec::EncodeChange(pool, body, erased);
  log_rows_.push_back({pool, revision, payload, std::holds_alternative<domain::MemberErased>(body)});
  pending_.Add({Table::kChangeLog, false, pool, subject, object, std::move(payload), revision, 0});
  changes_.emplace_back(pool, domain::Change{revision, std::move(body)});
}

// At once, since only the database knows whether another process is making the same pool: then this waits for it, and
// fails.
absl::Status Transaction::InsertPool(const domain::Pool& pool) {
  if (auto status = Flush(true); !status.ok()) return status;
  connection_.SendText("SAVEPOINT new_pool");
  connection_.Send("INSERT INTO pool(id, head, payload) VALUES ($1, $2, $3)",
                   {pool.id, pool.revision, Argument::Bytes(codec::Encode(pool))});
  auto inserted = connection_.Await();
  if (inserted.ok()) return absl::OkStatus();
  const bool exists = connection_.error_state() == "23505";
  connection_.SendText("ROLLBACK TO SAVEPOINT new_pool");
  if (auto back = connection_.Await(); !back.ok()) return back.status();
  if (!exists) return inserted.status();
  return domain::MakeError(domain::ErrorReason::kPoolExists,
                           absl::StrCat("pools/", pool.id, " exists already: choose another id, or update it"));
}

absl::StatusOr<std::int64_t> Transaction::Put(domain::Pool& pool) {
  auto head = HeadRevision(pool.id);
  if (!head.ok()) return head;
  pool.revision = *head + 1;
  if (*head == 0) {
    if (auto status = InsertPool(pool); !status.ok()) return status;
    undo_.emplace_back([this, id = pool.id] {
      heads_.erase(id);
      stored_heads_.erase(id);
    });
    stored_heads_[pool.id] = pool.revision;
  } else {
    undo_.emplace_back([this, id = pool.id, before = *head] { heads_[id] = before; });
    pending_.Add({Table::kPool, false, pool.id, {}, {}, codec::Encode(pool), 0, 0});
  }
  heads_[pool.id] = pool.revision;
  Learn<domain::Pool>(pools_, pool.id, pool);
  Log(pool.id, pool.revision, "", "", pool);
  return pool.revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, domain::Member& member) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  member.revision = *revision;
  pending_.Add({Table::kMember, false, pool, member.id, {}, codec::Encode(pool, member), 0, 0});
  Learn<domain::Member>(members_, KeyOf(pool, member.id), member);
  Log(pool, *revision, member.id, "", member);
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, domain::Connection& connection) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  connection.revision = *revision;
  const std::string key = KeyOf(pool, connection.a, connection.b);
  const auto before = connections_.find(key);
  std::optional<std::int64_t> more;
  if (before != connections_.end()) more = before->second.has_value() ? 0 : 1;
  for (const std::string& side : {connection.a, connection.b}) AdjustCount(KeyOf("ties", pool, side), more);
  pending_.Add({Table::kConnection, false, pool, connection.a, connection.b, codec::Encode(pool, connection), 0, 0});
  Learn<domain::Connection>(connections_, key, connection);
  Log(pool, *revision, connection.a, connection.b, connection);
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, const domain::Block& block) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  const std::string key = KeyOf(pool, block.blocker, block.blocked);
  const auto before = blocks_.find(key);
  std::optional<std::int64_t> more;
  if (before != blocks_.end()) more = before->second.has_value() ? 0 : 1;
  AdjustCount(KeyOf("blocks", pool, block.blocker), more);
  pending_.Add({Table::kBlock, false, pool, block.blocker, block.blocked, {}, 0, 0});
  Learn<domain::Block>(blocks_, key, block);
  Log(pool, *revision, block.blocker, block.blocked, block);
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, domain::Need& need) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  need.revision = *revision;
  const std::string key = KeyOf(pool, need.id);
  const auto before = needs_.find(key);
  std::optional<std::int64_t> more;
  const bool same_seeker =
      before != needs_.end() && (!before->second.has_value() || before->second->seeker == need.seeker);
  if (same_seeker) more = IsOpen(need) - (before->second.has_value() ? IsOpen(*before->second) : 0);
  AdjustCount(KeyOf("needs", pool, need.seeker), more);
  const std::int64_t excludes = need.constraints.exclude_members.empty() ? 0 : 1;
  pending_.Add({Table::kNeed, false, pool, need.id, need.seeker, codec::Encode(pool, need), IsOpen(need), excludes});
  Learn<domain::Need>(needs_, key, need);
  Log(pool, *revision, need.seeker, "", need);
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, const domain::Statistics& statistics) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  pending_.Add({Table::kStatistics, false, pool, {}, {}, codec::Encode(statistics), statistics.generation, 0});
  auto cleaned = Query("DELETE FROM statistics WHERE pool = $1 AND generation < $2",
                       {pool, statistics.generation - kOldGenerations});
  if (!cleaned.ok()) return cleaned.status();
  Log(pool, *revision, "", "", statistics);
  return revision;
}

absl::Status Transaction::DropStatistics(const std::string& pool, std::int64_t before) {
  return Query("DELETE FROM statistics WHERE pool = $1 AND generation < $2", {pool, before}).status();
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, domain::Introduction& introduction) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  introduction.revision = *revision;
  const IntroductionColumns columns = IntroductionColumns::Of(introduction);
  PendingWrites::Write write = {
      Table::kIntroduction, false,      pool, introduction.id, introduction.seeker, codec::Encode(pool, introduction),
      columns.flags,        columns.due};
  write.c = introduction.helper;
  write.d = introduction.introducer;
  write.asked = columns.asked;
  pending_.Add(std::move(write));
  Log(pool, *revision, introduction.seeker, introduction.helper, domain::ChangeOf(introduction));
  domain::MarkStored(introduction);
  Learn<domain::Introduction>(introductions_, KeyOf(pool, introduction.id), introduction);
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::Put(const std::string& pool, const domain::Notice& notice) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  Log(pool, *revision, notice.member, "", notice);
  return revision;
}

// At once, since nothing of it waits: with the savepoints of the items that it is part of.
absl::Status Transaction::PutOutbox(const std::string& pool, const application::OutboxPosition& position) {
  if (auto status = Flush(true); !status.ok()) return status;
  return Query(
             "INSERT INTO outbox(pool, revision, holder, held_until) VALUES ($1, $2, $3, $4) ON CONFLICT (pool) DO "
             "UPDATE SET revision = excluded.revision, holder = excluded.holder, held_until = excluded.held_until",
             {pool, position.revision, position.holder, absl::ToUnixMicros(position.held_until)})
      .status();
}

absl::StatusOr<std::int64_t> Transaction::DeleteIntroduction(const std::string& pool, const std::string& id) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  if (auto status = Flush(true); !status.ok()) return status;
  if (auto gone = Query("DELETE FROM introduction WHERE pool = $1 AND id = $2", {pool, id}); !gone.ok())
    return gone.status();
  Learn<domain::Introduction>(introductions_, KeyOf(pool, id), std::nullopt);
  Log(pool, *revision, "", "", domain::IntroductionErased{id});
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::DeleteConnection(const std::string& pool, const std::string& a,
                                                           const std::string& b) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  const std::string key = KeyOf(pool, a, b);
  const auto before = connections_.find(key);
  std::optional<std::int64_t> more;
  if (before != connections_.end()) more = before->second.has_value() ? -1 : 0;
  for (const std::string& side : {a, b}) AdjustCount(KeyOf("ties", pool, side), more);
  pending_.Add({Table::kConnection, true, pool, a, b, {}, 0, 0});
  Learn<domain::Connection>(connections_, key, std::nullopt);
  Log(pool, *revision, a, b, domain::ConnectionDeleted{a, b});
  return revision;
}

absl::StatusOr<std::int64_t> Transaction::DeleteBlock(const std::string& pool, const std::string& blocker,
                                                      const std::string& blocked) {
  auto revision = NextRevision(pool);
  if (!revision.ok()) return revision;
  const std::string key = KeyOf(pool, blocker, blocked);
  const auto before = blocks_.find(key);
  std::optional<std::int64_t> more;
  if (before != blocks_.end()) more = before->second.has_value() ? -1 : 0;
  AdjustCount(KeyOf("blocks", pool, blocker), more);
  pending_.Add({Table::kBlock, true, pool, blocker, blocked, {}, 0, 0});
  Learn<domain::Block>(blocks_, key, std::nullopt);
  Log(pool, *revision, blocker, blocked, domain::BlockDeleted{blocker, blocked});
  return revision;
}

absl::Status Transaction::PutReply(const std::string& pool, const std::string& request_id, const std::string& subject,
                                   const StoredReply& reply, absl::Time now) {
  const std::int64_t seconds = absl::ToUnixSeconds(now);
  if (now - store_.replies_cleaned_ >= kBetweenCleanings || now < store_.replies_cleaned_) {
    store_.replies_cleaned_ = now;
    auto cleaned = Query("DELETE FROM reply WHERE made < $1", {seconds - kReplySeconds});
    if (!cleaned.ok()) return cleaned.status();
    replies_.clear();
  }
  pending_.Add({Table::kReply, false, pool, request_id, subject, reply.reply,
                static_cast<std::int64_t>(reply.fingerprint), seconds});
  Learn<StoredReply>(replies_, KeyOf(pool, request_id), reply);
  return absl::OkStatus();
}

}  // namespace warmline::storage::postgres
