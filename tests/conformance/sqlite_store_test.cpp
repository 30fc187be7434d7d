#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "conformance/record_store_suite.h"
#include "domain/error.h"
#include "storage/sqlite/store.h"

namespace warmline::testing {
namespace {

std::unique_ptr<application::RecordStore> OpenSqlite(const std::string& directory) {
  auto store = storage::sqlite::Store::Open({.path = directory + "/warmline.db"});
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Sqlite, RecordStoreSuite, ::testing::Values(StoreFactory{"sqlite", OpenSqlite}),
                         [](const auto& info) { return info.param.name; });

class SqliteStore : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = ::testing::TempDir() + "warmline-sqlite-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/warmline.db"; }
  std::string directory_;
};

TEST_F(SqliteStore, ASecondProcessIsToldWhoHoldsIt) {
  auto first = storage::sqlite::Store::Open({.path = path()});
  ASSERT_TRUE(first.ok());
  const auto second = storage::sqlite::Store::Open({.path = path()});
  EXPECT_EQ(domain::ReasonOf(second.status()), domain::ErrorReason::kStoreUnavailable);
  EXPECT_THAT(std::string(second.status().message()),
              ::testing::AllOf(::testing::HasSubstr("in use by process " + std::to_string(getpid())),
                               ::testing::HasSubstr("stop it")));
}

TEST_F(SqliteStore, ANewerSchemaIsRefusedAndNotTouched) {
  ASSERT_TRUE(storage::sqlite::Store::Open({.path = path()}).ok());
  {
    auto database = storage::sqlite::Database::Open(path(), storage::sqlite::Database::Mode::kReadWrite);
    ASSERT_TRUE((*database)->RunScript("INSERT INTO schema_version VALUES (999, 'later')").ok());
  }
  const auto store = storage::sqlite::Store::Open({.path = path()});
  EXPECT_THAT(std::string(store.status().message()),
              ::testing::AllOf(::testing::HasSubstr("newer Warmline"), ::testing::HasSubstr("999"),
                               ::testing::HasSubstr("restore a backup")));
}

TEST_F(SqliteStore, AFileThatIsNoDatabaseIsRefused) {
  std::ofstream(path()) << std::string(8192, 'x');
  const auto store = storage::sqlite::Store::Open({.path = path()});
  EXPECT_THAT(std::string(store.status().message()), ::testing::HasSubstr("no database"));
}

TEST_F(SqliteStore, ADirectoryThatIsMissingIsNamed) {
  const auto store = storage::sqlite::Store::Open({.path = directory_ + "/none/warmline.db"});
  EXPECT_THAT(std::string(store.status().message()), ::testing::AllOf(::testing::HasSubstr("/none/warmline.db"),
                                                                      ::testing::HasSubstr("name a data directory")));
}

TEST_F(SqliteStore, AWriteWhileAnotherProcessHoldsTheLockIsRefusedAndLaterWorks) {
  auto store = storage::sqlite::Store::Open({.path = path()});
  auto other = storage::sqlite::Database::Open(path(), storage::sqlite::Database::Mode::kReadWrite);
  ASSERT_TRUE((*other)->RunScript("BEGIN IMMEDIATE").ok());
  const auto tx = (*store)->Begin();
  EXPECT_EQ(domain::ReasonOf(tx.status()), domain::ErrorReason::kStoreUnavailable);
  EXPECT_THAT(std::string(tx.status().message()), ::testing::HasSubstr("locked by another process"));
  EXPECT_TRUE(domain::RetryAfterOf(tx.status()).has_value());
  ASSERT_TRUE((*other)->RunScript("ROLLBACK").ok());
  EXPECT_TRUE((*store)->Begin().ok());
}

// Bytes of an erased member are in no file of the store.
TEST_F(SqliteStore, ErasedBytesAreGoneFromTheFiles) {
  const std::string mark = "unmistakable-id-4711";
  {
    auto store = storage::sqlite::Store::Open({.path = path()});
    auto tx = (*store)->Begin();
    domain::Pool pool;
    pool.id = "p";
    ASSERT_TRUE((*tx)->Put(pool).ok());
    domain::Member member;
    member.id = mark;
    member.display_name = mark;
    ASSERT_TRUE((*tx)->Put("p", member).ok());
    ASSERT_TRUE((*tx)->Commit().ok());
    tx->reset();
    auto erase = (*store)->Begin();
    ASSERT_TRUE((*erase)->EraseMember("p", mark, absl::Now()).ok());
    ASSERT_TRUE((*erase)->Commit().ok());
    for (const auto& file : std::filesystem::directory_iterator(directory_)) {
      std::ifstream input(file.path(), std::ios::binary);
      std::stringstream bytes;
      bytes << input.rdbuf();
      EXPECT_EQ(bytes.str().find(mark), std::string::npos) << file.path();
    }
  }
}

}  // namespace
}  // namespace warmline::testing
