// Of erased members nothing stays in the pages of the database file: neither where they stood, nor where SQLite left
// copies when it moved them. Thousands of ids, and pages that an older program wrote.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "codec/records.h"
#include "storage/sqlite/clean_pages.h"
#include "storage/sqlite/store.h"

namespace warmline::testing {
namespace {

using storage::sqlite::Database;
using storage::sqlite::Store;

constexpr char kPrefix[] = "member-with-a-long-id-";
constexpr int kMembers = 20'000;

std::string BytesOf(const std::string& path) {
  std::ifstream input(path, std::ios::binary);
  std::stringstream bytes;
  bytes << input.rdbuf();
  return bytes.str();
}

// In no order, so that inserting them splits pages everywhere.
std::vector<std::string> Ids() {
  std::mt19937_64 random(17);
  std::vector<std::string> ids;
  for (int i = 0; i < kMembers; ++i) {
    std::ostringstream id;
    id << kPrefix << std::hex << random() << "-" << i;
    ids.push_back(id.str());
  }
  return ids;
}

// Those of `ids` that stand in any file of a directory.
std::set<std::string> Left(const std::string& directory, const std::set<std::string>& ids) {
  std::set<std::string> left;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    const std::string bytes = BytesOf(file.path());
    for (std::size_t at = bytes.find(kPrefix); at != std::string::npos; at = bytes.find(kPrefix, at + 1)) {
      std::size_t end = at + sizeof kPrefix - 1;
      while (end < bytes.size() && (std::isalnum(static_cast<unsigned char>(bytes[end])) != 0 || bytes[end] == '-'))
        ++end;
      // What follows may be a letter by chance.
      for (std::size_t size = end - at; size > sizeof kPrefix; --size) {
        const auto found = ids.find(bytes.substr(at, size));
        if (found == ids.end()) continue;
        left.insert(*found);
        break;
      }
    }
  }
  return left;
}

class ErasedPages : public ::testing::Test {
 protected:
  ErasedPages() {
    directory_ = ::testing::TempDir() + "warmline-pages-XXXXXX";
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
  }
  ~ErasedPages() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string path() const { return directory_ + "/warmline.db"; }

  // Members with a tie, a block and a need each.
  static void Fill(Store& store, const std::vector<std::string>& ids) {
    auto tx = store.Begin();
    domain::Pool pool;
    pool.id = "p";
    ASSERT_TRUE((*tx)->Put(pool).ok());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      domain::Member member;
      member.id = member.display_name = ids[i];
      ASSERT_TRUE((*tx)->Put("p", member).ok());
      const std::string& other = ids[(i * 7 + 1) % ids.size()];
      domain::Connection tie;
      std::tie(tie.a, tie.b) = std::minmax(ids[i], other);
      ASSERT_TRUE((*tx)->Put("p", tie).ok());
      ASSERT_TRUE((*tx)->Put("p", domain::Block{ids[i], ids[(i * 13 + 5) % ids.size()]}).ok());
      domain::Need need;
      need.id = "need-of-" + ids[i];
      need.seeker = ids[i];
      ASSERT_TRUE((*tx)->Put("p", need).ok());
      if (i % 512 != 511) continue;
      ASSERT_TRUE((*tx)->Commit().ok());
      tx->reset();
      tx = store.Begin();
    }
    ASSERT_TRUE((*tx)->Commit().ok());
  }
  static void Erase(Store& store, const std::vector<std::string>& ids) {
    for (std::size_t begin = 0; begin < ids.size(); begin += 256) {
      auto tx = store.Begin();
      for (std::size_t i = begin; i < std::min(ids.size(), begin + 256); ++i)
        ASSERT_TRUE((*tx)->EraseMember("p", ids[i], absl::FromUnixSeconds(1'000)).ok());
      ASSERT_TRUE((*tx)->Commit().ok());
    }
  }
  // In parts; the longest of them, in milliseconds, is printed.
  static void Clean(Store& store) {
    absl::Duration longest = absl::ZeroDuration();
    absl::Duration all = absl::ZeroDuration();
    for (bool clean = false; !clean;) {
      const absl::Time began = absl::Now();
      const auto cleaned = store.CleanErased(absl::FromUnixSeconds(2'000));
      ASSERT_TRUE(cleaned.ok()) << cleaned.status();
      clean = *cleaned == application::Cleaning::kClean;
      longest = std::max(longest, absl::Now() - began);
      all += absl::Now() - began;
    }
    std::cout << "cleaned in " << all << ", in parts of at most " << longest << "\n";
  }

  std::string directory_;
};

TEST_F(ErasedPages, OfThousandsOfIdsNoneIsLeft) {
  const auto ids = Ids();
  const std::vector<std::string> leaving(ids.begin(), ids.begin() + kMembers / 5);
  auto store = Store::Open({.path = path()});
  Fill(**store, ids);
  EXPECT_EQ(Left(directory_, {leaving.begin(), leaving.end()}).size(), leaving.size());
  std::cout << kMembers << " members in " << std::filesystem::file_size(path()) / 1024 << " KiB\n";
  Erase(**store, leaving);
  Clean(**store);
  EXPECT_EQ(Left(directory_, {leaving.begin(), leaving.end()}).size(), 0U) << "of " << leaving.size();
  auto whole = Database::Open(path(), Database::Mode::kReadOnly);
  auto rows = (*whole)->Query("PRAGMA integrity_check");
  ASSERT_TRUE(*rows->Next());
  EXPECT_EQ(rows->Text(0), "ok");
}

// As a program without CleanVfs leaves it: `secure_delete` alone.
TEST_F(ErasedPages, PagesThatAnOlderProgramWroteAreCleaned) {
  const auto ids = Ids();
  sqlite3* old = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &old), SQLITE_OK);
  const auto run = [&](const std::string& sql) {
    ASSERT_EQ(sqlite3_exec(old, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(old);
  };
  run("PRAGMA secure_delete=ON; CREATE TABLE t(id TEXT PRIMARY KEY, other TEXT) WITHOUT ROWID; CREATE INDEX i ON "
      "t(other)");
  run("BEGIN");
  for (const std::string& id : ids) run("INSERT INTO t VALUES('" + id + "', '" + id + "')");
  run("COMMIT; BEGIN");
  const std::set<std::string> leaving(ids.begin(), ids.begin() + kMembers / 5);
  for (const std::string& id : leaving) run("DELETE FROM t WHERE id = '" + id + "'");
  run("COMMIT");
  sqlite3_close(old);
  EXPECT_GT(Left(directory_, leaving).size(), 0U);  // else this test shows nothing
  auto database = Database::Open(path(), Database::Mode::kReadWrite);
  ASSERT_TRUE((*database)->RunScript("SELECT count(*) FROM t").ok());
  std::int64_t next = 0;
  for (int parts = 0; next >= 0; ++parts) {
    ASSERT_LT(parts, 1'000);
    const auto cleaned = storage::sqlite::CleanFile((*database)->handle(), next, 100);
    ASSERT_TRUE(cleaned.ok()) << cleaned.status();
    next = *cleaned;
  }
  EXPECT_EQ(Left(directory_, leaving).size(), 0U);
  auto rows = (*database)->Query("PRAGMA integrity_check");
  ASSERT_TRUE(*rows->Next());
  EXPECT_EQ(rows->Text(0), "ok");
}

TEST_F(ErasedPages, OnlyWhatNoCellUsesIsOverwritten) {
  std::array<std::uint8_t, 512> page{};
  page.fill(0xee);
  page[0] = 13;                                                 // a leaf of a table
  page[1] = 1, page[2] = 0x90;                                  // a freeblock at 400
  page[3] = 0, page[4] = 2;                                     // two cells
  page[5] = 1, page[6] = 0x2c;                                  // the content begins at 300
  page[400] = 0, page[401] = 0, page[402] = 0, page[403] = 20;  // no other freeblock; 20 bytes
  auto cleaned = page;
  EXPECT_TRUE(storage::sqlite::CleanPage(cleaned, false));
  for (std::size_t i = 0; i < page.size(); ++i) {
    const bool unused = (i >= 12 && i < 300) || (i >= 404 && i < 420);
    EXPECT_EQ(cleaned[i], unused ? 0 : page[i]) << i;
  }
  EXPECT_FALSE(storage::sqlite::CleanPage(cleaned, false));  // nothing is left to do
  // Pages of other kinds, and headers that do not hold together, stay as they are.
  for (const std::uint8_t type : {0, 1, 3, 0xee}) {
    auto other = page;
    other[0] = type;
    const auto before = other;
    EXPECT_FALSE(storage::sqlite::CleanPage(other, false));
    EXPECT_EQ(other, before);
  }
  auto broken = page;
  broken[3] = 0xff;
  const auto before = broken;
  EXPECT_FALSE(storage::sqlite::CleanPage(broken, false));
  EXPECT_EQ(broken, before);
}

}  // namespace
}  // namespace warmline::testing
