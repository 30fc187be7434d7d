// One write transaction on the store's writing connection, as a unit of work: what it writes is kept in memory and sent
// with the commit, in one round trip, a statement a table; what it reads is remembered, and what a batch is known to
// read comes with the locks, in one round trip too. A query that must see what was written sends it first; from then
// on items are savepoints. Thread-safety: one thread at a time.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "storage/postgres/pending_writes.h"
#include "storage/postgres/reader.h"

namespace warmline::storage::postgres {

class Store;

class Transaction : public Reader<application::WriteTransaction> {
 public:
  explicit Transaction(Store& store);
  // Rolls back what was not committed.
  ~Transaction() override;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Begins: locks the pools in order of their ids, and reads what the hint names.
  [[nodiscard]] absl::Status Start(const application::BatchHint& hint);

  absl::StatusOr<std::optional<domain::Pool>> GetPool(const std::string& pool) override;
  absl::StatusOr<std::optional<domain::Member>> GetMember(const std::string& pool, const std::string& id) override;
  absl::StatusOr<std::optional<domain::Connection>> GetConnection(const std::string& pool, const std::string& a,
                                                                  const std::string& b) override;
  absl::StatusOr<std::optional<domain::Block>> GetBlock(const std::string& pool, const std::string& blocker,
                                                        const std::string& blocked) override;
  absl::StatusOr<std::optional<domain::Need>> GetNeed(const std::string& pool, const std::string& id) override;
  absl::StatusOr<std::optional<domain::Introduction>> GetIntroduction(const std::string& pool,
                                                                      const std::string& id) override;
  absl::StatusOr<std::int64_t> CountConnectionsOf(const std::string& pool, const std::string& member) override;
  absl::StatusOr<std::int64_t> CountBlocksOf(const std::string& pool, const std::string& blocker) override;
  absl::StatusOr<std::int64_t> CountOpenNeedsOf(const std::string& pool, const std::string& seeker) override;
  absl::StatusOr<std::int64_t> HeadRevision(const std::string& pool) override;

  absl::Status BeginItem() override;
  absl::Status EndItem() override;
  absl::Status RollbackItem() override;
  absl::StatusOr<std::int64_t> Put(domain::Pool& pool) override;
  absl::StatusOr<std::int64_t> Put(const std::string& pool, domain::Member& member) override;
  absl::StatusOr<std::int64_t> Put(const std::string& pool, domain::Connection& connection) override;
  absl::StatusOr<std::int64_t> Put(const std::string& pool, const domain::Block& block) override;
  absl::StatusOr<std::int64_t> Put(const std::string& pool, domain::Need& need) override;
  absl::StatusOr<std::int64_t> Put(const std::string& pool, const domain::Statistics& statistics) override;
  absl::Status DropStatistics(const std::string& pool, std::int64_t before) override;
  absl::StatusOr<std::int64_t> Put(const std::string& pool, domain::Introduction& introduction) override;
  absl::StatusOr<std::int64_t> Put(const std::string& pool, const domain::Notice& notice) override;
  absl::Status PutOutbox(const std::string& pool, const application::OutboxPosition& position) override;
  absl::StatusOr<std::int64_t> DeleteIntroduction(const std::string& pool, const std::string& id) override;
  absl::StatusOr<std::int64_t> DeleteConnection(const std::string& pool, const std::string& a,
                                                const std::string& b) override;
  absl::StatusOr<std::int64_t> DeleteBlock(const std::string& pool, const std::string& blocker,
                                           const std::string& blocked) override;
  absl::StatusOr<application::ErasureRecord> EraseMember(const std::string& pool, const std::string& member,
                                                         absl::Time now) override;
  absl::StatusOr<std::optional<application::StoredReply>> GetReply(const std::string& pool,
                                                                   const std::string& request_id) override;
  absl::Status PutReply(const std::string& pool, const std::string& request_id, const std::string& subject,
                        const application::StoredReply& reply, absl::Time now) override;
  const std::vector<std::pair<std::string, domain::Change>>& changes() const override { return changes_; }
  const std::vector<application::LogRow>& log_rows() const override { return log_rows_; }
  absl::Status Commit() override;

 protected:
  absl::Status BeforeQuery() override { return Flush(false); }

 private:
  // What is known of the records of one kind, by key; nothing: that there is none.
  template <typename T>
  using Known = absl::flat_hash_map<std::string, std::optional<T>>;
  struct Item {
    std::size_t writes_at = 0;  // its first among those pending
    std::size_t changes_at = 0;
    std::size_t undo_at = 0;
    std::string savepoint;  // empty: nothing of it was sent
  };

  // Sends what is pending, with a savepoint for every open item; also when nothing is, where `always`.
  absl::Status Flush(bool always);
  // Reads from `known`, or through `read`, which is then known.
  template <typename T, typename Read>
  absl::StatusOr<std::optional<T>> Remember(Known<T>& known, const std::string& key, Read read);
  template <typename T>
  void Learn(Known<T>& known, const std::string& key, std::optional<T> value);
  template <typename Read>
  absl::StatusOr<std::int64_t> RememberCount(const std::string& key, Read read);
  // Adds to a count that is known; forgets it where `by` is not known.
  void AdjustCount(const std::string& key, std::optional<std::int64_t> by);
  void ForgetAll();
  // The head of a pool that exists.
  absl::StatusOr<std::int64_t> LockedHead(const std::string& pool);
  absl::StatusOr<std::int64_t> NextRevision(const std::string& pool);
  void Log(const std::string& pool, std::int64_t revision, const std::string& subject, const std::string& object,
           domain::ChangeBody body, const codec::ErasedName& erased = {});
  // Needs of others no longer name the member as excluded, nor does what the change log says of those needs.
  absl::Status ForgetExclusionsOf(const std::string& pool, const std::string& member);
  absl::Status InsertPool(const domain::Pool& pool);
  void SendReads(const std::vector<application::RecordKey>& reads);
  absl::Status TakeReads(const std::vector<application::RecordKey>& reads, std::vector<Result> results);

  Store& store_;
  PendingWrites pending_;
  std::vector<Item> items_;
  std::vector<std::function<void()>> undo_;
  int savepoints_ = 0;
  absl::btree_map<std::string, std::int64_t> heads_;         // of the pools that are locked; 0: there is none
  absl::btree_map<std::string, std::int64_t> stored_heads_;  // as the database has them
  Known<domain::Pool> pools_;
  Known<domain::Member> members_;
  Known<domain::Connection> connections_;
  Known<domain::Block> blocks_;
  Known<domain::Need> needs_;
  Known<domain::Introduction> introductions_;
  Known<application::StoredReply> replies_;
  absl::flat_hash_map<std::string, std::int64_t> counts_;
  std::vector<std::pair<std::string, domain::Change>> changes_;
  std::vector<application::LogRow> log_rows_;  // one for each change
  bool over_ = false;
};

}  // namespace warmline::storage::postgres
