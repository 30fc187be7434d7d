// The cluster's record store: any number of processes on one database that speaks PostgreSQL's protocol. One connection
// writes; a bounded number of others read, each read transaction one snapshot. While the database cannot be reached,
// calls fail at once but for one attempt now and then. Thread-safety: as application::RecordStore says.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "application/record_store.h"
#include "storage/erasure_key.h"
#include "storage/postgres/connection.h"

namespace warmline::storage::postgres {

struct StoreOptions {
  ConnectionOptions connection;
  // Connections that read, at most; a reader waits for one as long as for a statement.
  int max_readers = 8;
};

class Store : public application::RecordStore {
 public:
  // Connects and migrates. Errors say what to check: address, user, grants, a newer schema.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options);

  absl::StatusOr<std::unique_ptr<application::RecordReader>> Read() override;
  absl::StatusOr<std::unique_ptr<application::WriteTransaction>> Begin(const application::BatchHint& hint) override;
  using application::RecordStore::Begin;
  std::uint64_t history() const override { return history_; }
  const std::string& token_key() const override { return token_key_; }
  absl::StatusOr<domain::ChangeBody> DecodeLogRow(const std::string& pool, const std::string& payload) const override {
    return erasure_key_.Decode(pool, payload);
  }
  // VACUUM of the tables, by one process at a time.
  absl::StatusOr<application::Cleaning> CleanErased(absl::Time now) override;
  void StopCleaning() override { stop_cleaning_ = true; }
  // The database's disk is the database's.
  bool ReleaseReserve() override { return false; }
  void KeepReserve() override {}
  std::int64_t reserve_bytes() const override { return 0; }
  std::string ErasureHash(const std::string& pool, const std::string& member) const override {
    return erasure_key_.Hash(pool, member);
  }

 private:
  friend class Transaction;
  friend class Snapshot;

  explicit Store(StoreOptions options) : options_(std::move(options)) {}
  absl::Status ReadKeys(Connection& connection);
  // A new connection, unless one failed a moment ago.
  absl::StatusOr<std::unique_ptr<Connection>> Connect();
  absl::StatusOr<std::unique_ptr<Connection>> TakeReader();
  void GiveBack(std::unique_ptr<Connection> reader);

  const StoreOptions options_;
  std::atomic<bool> stop_cleaning_{false};
  absl::Time vacuumed_;  // of the thread that calls CleanErased
  std::uint64_t history_ = 0;
  std::string token_key_;
  ErasureKey erasure_key_;
  std::unique_ptr<Connection> writer_;  // the one writing thread's; null when it broke
  absl::Time replies_cleaned_;          // the same

  std::mutex mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<Connection>> idle_readers_;  // guarded by mutex_
  int readers_ = 0;                                        // idle ones included; guarded by mutex_
  absl::Time next_attempt_;                                // to connect; guarded by mutex_
  absl::Status last_failure_;                              // guarded by mutex_
};

}  // namespace warmline::storage::postgres
