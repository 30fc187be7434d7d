#include "storage/sqlite/store.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "domain/error.h"
#include "storage/sqlite/schema.h"
#include "storage/sqlite/transaction.h"

namespace warmline::storage::sqlite {
namespace {

// Connections kept for the next reader.
constexpr std::size_t kMaxIdleReaders = 8;
// Pages that a connection keeps in memory. They fill up as the file grows, and the system has them in its own cache
// anyway: more than this made no batch of writes faster in a file of 223 MB.
constexpr int kWriterCacheKib = 16 * 1024;
constexpr int kReaderCacheKib = 2 * 1024;
// How often it is looked whether the room for erasures can be made, or made larger.
constexpr absl::Duration kBetweenReserves = absl::Seconds(10);

}  // namespace

// One read transaction on a connection of its own.
class Snapshot : public Reader<application::RecordReader> {
 public:
  Snapshot(Store& store, std::unique_ptr<Database> database)
      : Reader(*database, store.erasure_key_), store_(store), owned_(std::move(database)) {}
  ~Snapshot() override {
    if (owned_->RunScript("COMMIT").ok()) store_.GiveBack(std::move(owned_));
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Store& store_;
  std::unique_ptr<Database> owned_;
};

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(options));
  if (auto status = store->Lock(); !status.ok()) return status;
  if (auto status = store->OpenWriter(); !status.ok()) return status;
  if (auto status = Migrate(*store->writer_, options.path); !status.ok()) return status;
  if (auto status = store->ReadKeys(); !status.ok()) return status;
  store->reserve_.Keep();
  return store;
}

Store::~Store() {
  if (lock_file_ >= 0) close(lock_file_);
}

absl::Status Store::Lock() {
  const std::string path = options_.path + ".lock";
  lock_file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_file_ < 0) {
    return domain::MakeError(domain::ErrorReason::kStoreUnavailable,
                             absl::StrCat("cannot write ", path, " (", std::strerror(errno),
                                          "): name a data directory that exists and that you may write"));
  }
  if (flock(lock_file_, LOCK_EX | LOCK_NB) == 0) {
    const std::string pid = absl::StrCat(getpid(), "\n");
    // Only a hint for the message below: the lock is what counts.
    const bool written = ftruncate(lock_file_, 0) == 0 && pwrite(lock_file_, pid.data(), pid.size(), 0) > 0;
    (void)written;
    return absl::OkStatus();
  }
  std::array<char, 32> pid{};
  const ssize_t size = pread(lock_file_, pid.data(), pid.size() - 1, 0);
  std::string owner(pid.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!owner.empty() && owner.back() == '\n') owner.pop_back();
  return domain::MakeError(domain::ErrorReason::kStoreUnavailable,
                           absl::StrCat(options_.path, " is in use by process ", owner.empty() ? "(unknown)" : owner,
                                        ": stop it, or name another data directory"));
}

absl::Status Store::OpenWriter() {
  auto database = Database::Open(options_.path, Database::Mode::kReadWrite);
  if (!database.ok()) return database.status();
  const auto status =
      (*database)->RunScript(absl::StrCat("PRAGMA journal_mode=WAL; PRAGMA synchronous=", options_.synchronous,
                                          "; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-",
                                          kWriterCacheKib, "; PRAGMA wal_autocheckpoint=4000"));
  if (!status.ok()) {
    return domain::MakeError(domain::ReasonOf(status), absl::StrCat(options_.path, ": ", std::string(status.message())),
                             domain::RetryAfterOf(status));
  }
  writer_ = *std::move(database);
  return absl::OkStatus();
}

absl::Status Store::ReadKeys() {
  const auto read = [&](const std::string& key) -> absl::StatusOr<std::string> {
    auto rows = writer_->Query("SELECT value FROM meta WHERE key = ?", key);
    if (!rows.ok()) return rows.status();
    auto row = rows->Next();
    if (!row.ok()) return row.status();
    return rows->Text(0);
  };
  auto history = read("history");
  auto token_key = read("token_key");
  auto erasure_key = read("erasure_key");
  for (const auto* value : {&history, &token_key, &erasure_key}) {
    if (!value->ok()) return value->status();
    if ((*value)->empty())
      return domain::MakeError(domain::ErrorReason::kInternalDefect,
                               options_.path + " lacks its keys: restore it from a backup");
  }
  history_ = std::stoull(*history);
  token_key_ = *token_key;
  erasure_key_ = ErasureKey(*erasure_key);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<application::RecordReader>> Store::Read() {
  std::unique_ptr<Database> reader;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_readers_.empty()) {
      reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
    }
  }
  if (reader == nullptr) {
    auto opened = Database::Open(options_.path, Database::Mode::kReadOnly);
    if (!opened.ok()) return opened.status();
    reader = *std::move(opened);
    if (auto status = reader->RunScript(absl::StrCat("PRAGMA cache_size=-", kReaderCacheKib)); !status.ok())
      return status;
  }
  if (auto status = reader->RunScript("BEGIN"); !status.ok()) return status;
  return std::make_unique<Snapshot>(*this, std::move(reader));
}

void Store::GiveBack(std::unique_ptr<Database> reader) {
  const std::lock_guard lock(mutex_);
  if (idle_readers_.size() < kMaxIdleReaders) idle_readers_.push_back(std::move(reader));
}

absl::StatusOr<std::unique_ptr<application::WriteTransaction>> Store::Begin(const application::BatchHint&) {
  if (writer_ == nullptr) {
    if (auto status = OpenWriter(); !status.ok()) return status;
  }
  if (const absl::Time now = absl::Now(); now - reserve_kept_ >= kBetweenReserves || now < reserve_kept_) {
    reserve_kept_ = now;
    reserve_.Keep();
  }
  if (auto status = writer_->RunScript("BEGIN IMMEDIATE"); !status.ok()) return status;
  return std::make_unique<Transaction>(*this);
}

}  // namespace warmline::storage::sqlite
