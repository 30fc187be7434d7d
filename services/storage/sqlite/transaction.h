// One write transaction on the store's writing connection. Thread-safety: one thread at a time.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/sqlite/reader.h"

namespace warmline::storage::sqlite {

class Store;

class Transaction : public Reader<application::WriteTransaction> {
 public:
  // Begun already.
  explicit Transaction(Store& store);
  // Rolls back what was not committed.
  ~Transaction() override;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

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

 private:
  // The pool's next revision, from its head row.
  absl::StatusOr<std::int64_t> NextRevision(const std::string& pool);
  // Writes the row of the change log and remembers the change for the index.
  absl::Status Log(const std::string& pool, std::int64_t revision, const std::string& subject,
                   const std::string& object, domain::ChangeBody body, const codec::ErasedName& erased = {});
  absl::StatusOr<std::int64_t> Remove(const char* sql, std::int64_t& removed, const std::string& pool,
                                      const std::string& member);
  // Needs of others no longer name the member as excluded, nor does what the change log says of those needs.
  absl::Status ForgetExclusionsOf(const std::string& pool, const std::string& member);

  Store& store_;
  std::vector<std::pair<std::string, domain::Change>> changes_;
  std::vector<application::LogRow> log_rows_;  // one for each change
  // Of the pools that were asked about; written with the commit.
  std::map<std::string, std::int64_t> heads_;
  struct Item {
    std::size_t changes = 0;  // before it
    std::map<std::string, std::int64_t> heads;
  };
  std::vector<Item> items_;  // they nest
  bool erased_ = false;
  bool over_ = false;
};

}  // namespace warmline::storage::sqlite
