#include "storage/postgres/store.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <cstring>

#include "domain/error.h"
#include "storage/postgres/reader.h"
#include "storage/postgres/schema.h"
#include "storage/postgres/transaction.h"

namespace warmline::storage::postgres {
namespace {

// After a connection could not be made, others are refused at once for so long.
constexpr absl::Duration kPauseAfterFailure = absl::Milliseconds(200);

}  // namespace

// One read transaction on a connection of its own.
class Snapshot : public Reader<application::RecordReader> {
 public:
  Snapshot(Store& store, std::unique_ptr<Connection> connection)
      : Reader(*connection, store.erasure_key_), store_(store), owned_(std::move(connection)) {}
  ~Snapshot() override {
    owned_->SendText("COMMIT");
    (void)owned_->Await();  // a connection that is not well again is closed by GiveBack
    store_.GiveBack(std::move(owned_));
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Store& store_;
  std::unique_ptr<Connection> owned_;
};

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(options));
  auto connection = store->Connect();
  if (!connection.ok()) return connection.status();
  if (auto status = Migrate(**connection); !status.ok()) return status;
  if (auto status = store->ReadKeys(**connection); !status.ok()) return status;
  store->writer_ = *std::move(connection);
  return store;
}

absl::Status Store::ReadKeys(Connection& connection) {
  const auto read = [&](const std::string& key) -> absl::StatusOr<std::string> {
    auto rows = connection.Query("SELECT value FROM meta WHERE key = $1", {key});
    if (!rows.ok()) return rows.status();
    if (rows->rows() == 0)
      return domain::MakeError(domain::ErrorReason::kInternalDefect,
                               "the database lacks its keys (table meta): restore it from a backup");
    return rows->Text(0, 0);
  };
  auto history = read("history");
  auto token_key = read("token_key");
  auto erasure_key = read("erasure_key");
  for (const auto* value : {&history, &token_key, &erasure_key}) {
    if (!value->ok()) return value->status();
  }
  std::memcpy(&history_, history->data(), std::min(history->size(), sizeof history_));
  token_key_ = *token_key;
  erasure_key_ = ErasureKey(*erasure_key);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Connection>> Store::Connect() {
  {
    const std::lock_guard lock(mutex_);
    if (absl::Now() < next_attempt_) return last_failure_;
  }
  auto connection = Connection::Open(options_.connection);
  const std::lock_guard lock(mutex_);
  if (!connection.ok()) {
    last_failure_ = connection.status();
    next_attempt_ = absl::Now() + kPauseAfterFailure;
  }
  return connection;
}

absl::StatusOr<std::unique_ptr<Connection>> Store::TakeReader() {
  {
    std::unique_lock lock(mutex_);
    const bool free =
        reader_free_.wait_for(lock, absl::ToChronoNanoseconds(options_.connection.statement_timeout),
                              [this] { return !idle_readers_.empty() || readers_ < options_.max_readers; });
    if (!free) {
      return domain::MakeError(domain::ErrorReason::kStoreUnavailable,
                               absl::StrCat("all ", options_.max_readers, " reading connections are busy: try again"),
                               absl::Milliseconds(100));
    }
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
    ++readers_;
  }
  auto connected = Connect();
  if (!connected.ok()) GiveBack(nullptr);
  return connected;
}

void Store::GiveBack(std::unique_ptr<Connection> reader) {
  {
    const std::lock_guard lock(mutex_);
    if (reader != nullptr && reader->alive() && !reader->in_transaction()) {
      idle_readers_.push_back(std::move(reader));
    } else {
      --readers_;
    }
  }
  reader_free_.notify_one();
}

absl::StatusOr<std::unique_ptr<application::RecordReader>> Store::Read() {
  // A connection that idled may have been cut since: each of those is tried, then a fresh one.
  while (true) {
    auto reader = TakeReader();
    if (!reader.ok()) return reader.status();
    (*reader)->SendText("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    const absl::Status begun = (*reader)->Await().status();
    if (begun.ok()) return std::make_unique<Snapshot>(*this, *std::move(reader));
    const bool broken = !(*reader)->alive();
    GiveBack(*std::move(reader));
    if (!broken) return begun;
  }
}

absl::StatusOr<std::unique_ptr<application::WriteTransaction>> Store::Begin(const application::BatchHint& hint) {
  const bool idled = writer_ != nullptr && writer_->alive();
  if (!idled) {
    writer_.reset();
    auto connected = Connect();
    if (!connected.ok()) return connected.status();
    writer_ = *std::move(connected);
  }
  auto transaction = std::make_unique<Transaction>(*this);
  absl::Status begun = transaction->Start(hint);
  if (begun.ok()) return transaction;
  transaction.reset();
  if (idled && (writer_ == nullptr || !writer_->alive())) return Begin(hint);  // once: on a fresh connection
  return begun;
}

}  // namespace warmline::storage::postgres
