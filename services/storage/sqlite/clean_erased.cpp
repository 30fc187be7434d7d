// Store::CleanErased: what erased members leave in the files of the database.
#include <absl/strings/str_cat.h>

#include "storage/sqlite/clean_pages.h"
#include "storage/sqlite/store.h"

namespace warmline::storage::sqlite {

using application::Cleaning;

namespace {

// Erasures that are cleaned at once, and pages: 16 MiB, read and written back where they have leftovers.
constexpr std::int64_t kErasuresAtOnce = 1'000;
constexpr std::int64_t kPagesAtOnce = 4'096;
// How long a checkpoint waits for readers; so long a write may wait for it.
constexpr int kBusyMs = 50;

// In meta: pages that programs before schema version 4 wrote were cleaned.
constexpr char kPagesClean[] = "pages_clean";

absl::StatusOr<std::int64_t> Integer(absl::StatusOr<Rows> rows) {
  if (!rows.ok()) return rows.status();
  auto row = rows->Next();
  if (!row.ok()) return row.status();
  return *row ? rows->Integer(0) : -1;
}

// False when readers hold back a part of the log.
absl::StatusOr<bool> CutLog(Database& database) {
  auto busy = Integer(database.Query("PRAGMA wal_checkpoint(TRUNCATE)"));
  if (!busy.ok()) return busy.status();
  return *busy == 0;
}

}  // namespace

absl::Status Store::OpenCleaner() {
  if (cleaner_ != nullptr) return absl::OkStatus();
  auto opened = Database::Open(options_.path, Database::Mode::kReadWrite);
  if (!opened.ok()) return opened.status();
  auto status = (*opened)->RunScript(absl::StrCat("PRAGMA synchronous=", options_.synchronous,
                                                  "; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; "
                                                  "PRAGMA wal_autocheckpoint=4000; PRAGMA busy_timeout=",
                                                  kBusyMs));
  if (!status.ok()) return status;
  auto clean = Integer((*opened)->Query("SELECT count(*) FROM meta WHERE key = ?", std::string(kPagesClean)));
  if (!clean.ok()) return clean.status();
  if (*clean > 0) next_page_ = -1;
  cleaner_ = *std::move(opened);
  return absl::OkStatus();
}

absl::StatusOr<Cleaning> Store::CleanErased(absl::Time now) {
  if (auto status = OpenCleaner(); !status.ok()) return status;
  struct Erased {
    std::string pool;
    std::string hash;
    std::int64_t revision;
  };
  std::vector<Erased> erased;
  {
    auto rows = cleaner_->Query("SELECT pool, hash, revision FROM erasure WHERE cleaned = 0 LIMIT ?", kErasuresAtOnce);
    if (!rows.ok()) return rows.status();
    while (true) {
      auto more = rows->Next();
      if (!more.ok()) return more.status();
      if (!*more) break;
      erased.push_back({rows->Text(0), rows->Text(1), rows->Integer(2)});
    }
  }
  if (erased.empty() && next_page_ < 0) return Cleaning::kClean;
  // The log first: with it every page that was written since goes into the file, clean.
  auto cut = CutLog(*cleaner_);
  if (!cut.ok()) return cut.status();
  if (!*cut) return Cleaning::kLater;
  if (next_page_ >= 0) {
    auto next = CleanFile(cleaner_->handle(), next_page_, kPagesAtOnce);
    if (!next.ok()) return next.status();
    next_page_ = *next;
    if (next_page_ >= 0) return Cleaning::kMore;
    if (auto status = cleaner_->Run("INSERT OR REPLACE INTO meta(key, value) VALUES (?, 1)", std::string(kPagesClean));
        !status.ok())
      return status;
  }
  if (auto status = cleaner_->RunScript("BEGIN IMMEDIATE"); !status.ok()) return status;
  absl::Status status;
  for (const auto& [pool, hash, revision] : erased) {
    if (status.ok())
      status = cleaner_->Run("UPDATE erasure SET cleaned = ? WHERE pool = ? AND hash = ? AND revision = ?",
                             absl::ToUnixSeconds(now), pool, hash, revision);
  }
  if (status.ok()) status = cleaner_->RunScript("COMMIT");
  if (!status.ok()) {
    (void)cleaner_->RunScript("ROLLBACK");
    cleaner_.reset();  // as after every failed commit
    return status;
  }
  return erased.size() < static_cast<std::size_t>(kErasuresAtOnce) ? Cleaning::kClean : Cleaning::kMore;
}

}  // namespace warmline::storage::sqlite
