// The embedded record store: one SQLite file in WAL mode, synchronous=FULL, so that a committed transaction survives
// kill -9 and loss of power. One process at a time holds it (a lock file beside it). Thread-safety: as
// application::RecordStore says.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "application/record_store.h"
#include "storage/erasure_key.h"
#include "storage/sqlite/database.h"
#include "storage/sqlite/reserve.h"

namespace warmline::storage::sqlite {

struct StoreOptions {
  std::string path;
  // OFF loses acknowledged writes when the machine stops: for tests that show it.
  std::string synchronous = "FULL";
};

class Store : public application::RecordStore {
 public:
  // Opens a store, or makes it, and migrates it. Errors name the path and the remedy: in use by another process,
  // written by a newer Warmline, damaged, not writable.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options);
  ~Store() override;

  absl::StatusOr<std::unique_ptr<application::RecordReader>> Read() override;
  absl::StatusOr<std::unique_ptr<application::WriteTransaction>> Begin(const application::BatchHint& hint) override;
  using application::RecordStore::Begin;
  std::uint64_t history() const override { return history_; }
  const std::string& token_key() const override { return token_key_; }
  std::int64_t cache_bytes() const override { return sqlite3_memory_used(); }
  absl::StatusOr<domain::ChangeBody> DecodeLogRow(const std::string& pool, const std::string& payload) const override {
    return erasure_key_.Decode(pool, payload);
  }
  absl::StatusOr<application::Cleaning> CleanErased(absl::Time now) override;
  bool ReleaseReserve() override { return reserve_.Release(); }
  void KeepReserve() override { reserve_.Keep(); }
  std::int64_t reserve_bytes() const override { return reserve_.bytes(); }
  std::string ErasureHash(const std::string& pool, const std::string& member) const override {
    return erasure_key_.Hash(pool, member);
  }

 private:
  explicit Store(StoreOptions options) : options_(std::move(options)), reserve_(options_.path) {}
  absl::Status Lock();
  absl::Status OpenWriter();
  absl::Status ReadKeys();
  absl::Status OpenCleaner();

  friend class Transaction;
  friend class Snapshot;
  void GiveBack(std::unique_ptr<Database> reader);

  StoreOptions options_;
  Reserve reserve_;
  std::unique_ptr<Database> cleaner_;  // of the thread that calls CleanErased
  std::int64_t next_page_ = 0;         // the same; from which the file is still to be cleaned; -1: it is clean
  int lock_file_ = -1;
  absl::Time replies_cleaned_;        // the writing thread's
  absl::Time reserve_kept_;           // the same
  std::unique_ptr<Database> writer_;  // null after a failed commit, until it is opened anew
  std::uint64_t history_ = 0;
  std::string token_key_;
  ErasureKey erasure_key_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Database>> idle_readers_;  // guarded by mutex_
};

}  // namespace warmline::storage::sqlite
