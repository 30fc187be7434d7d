// The format of pages: https://www.sqlite.org/fileformat2.html, section 1.6.
#include "storage/sqlite/clean_pages.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <list>
#include <mutex>
#include <string>
#include <vector>

#include "storage/sqlite/database.h"
#include "storage/sqlite/vfs_forward.h"

namespace warmline::storage::sqlite {
namespace {

constexpr std::size_t kFileHeaderBytes = 100;
constexpr std::size_t kMinPageBytes = 512;
constexpr std::size_t kMaxPageBytes = 65536;
constexpr std::size_t kPageSizeAt = 16;
constexpr std::size_t kReservedAt = 20;
// Not 0 in files with auto_vacuum, whose pointer maps may begin like pages of a table.
constexpr std::size_t kAutoVacuumAt = 52;
// The smallest freeblock: where the next one is, and its size.
constexpr std::size_t kFreeblockHead = 4;

// Held while a page of a database file is written, so that CleanFile never writes an older one over it.
std::mutex& Writing() {
  static std::mutex mutex;
  return mutex;
}

std::size_t Load16(std::span<const std::uint8_t> page, std::size_t at) {
  return std::size_t{page[at]} << 8 | page[at + 1];
}

// Zeroes; whether anything was there.
bool Wipe(std::span<std::uint8_t> bytes) {
  const bool dirty = std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; });
  if (dirty) std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
  return dirty;
}

bool IsPageSize(std::size_t bytes) {
  return bytes >= kMinPageBytes && bytes <= kMaxPageBytes && (bytes & (bytes - 1)) == 0;
}

struct Vfs {
  sqlite3_vfs base;  // first: SQLite hands it back
  sqlite3_vfs* real;
  std::string name;
};

struct File {
  sqlite3_file base;
  bool cleans;
  // The real file's structure follows.
};

sqlite3_file* Real(sqlite3_file* file) { return Forward<File>::Real(file); }

int Write(sqlite3_file* f, const void* data, int size, sqlite3_int64 at) {
  const auto bytes = static_cast<std::size_t>(size);
  const bool whole = IsPageSize(bytes) && at % size == 0 && at / size < kMaxCleanedPages;
  const std::lock_guard lock(Writing());
  if (!whole || !reinterpret_cast<File*>(f)->cleans) return Real(f)->pMethods->xWrite(Real(f), data, size, at);
  const auto* from = static_cast<const std::uint8_t*>(data);
  std::vector<std::uint8_t> page(from, from + bytes);
  CleanPage(page, at == 0);
  return Real(f)->pMethods->xWrite(Real(f), page.data(), size, at);
}

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = Forward<File>::Methods();
  methods.xWrite = Write;
  return methods;
}();

bool HasAutoVacuum(sqlite3_file* real) {
  std::array<std::uint8_t, kFileHeaderBytes> head{};
  if (real->pMethods->xRead(real, head.data(), static_cast<int>(head.size()), 0) != SQLITE_OK) return false;  // empty
  return std::any_of(head.begin() + kAutoVacuumAt, head.begin() + kAutoVacuumAt + 4, [](auto b) { return b != 0; });
}

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* real = reinterpret_cast<Vfs*>(vfs)->real;
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return real->xOpen(real, name, file, flags, out_flags);
  auto* mine = reinterpret_cast<File*>(file);
  std::memset(mine, 0, sizeof(File));
  const int code = real->xOpen(real, name, Real(file), flags, out_flags);
  if (code != SQLITE_OK) return code;
  mine->cleans = !HasAutoVacuum(Real(file));
  file->pMethods = &kMethods;
  return code;
}

}  // namespace

const char* CleanVfs() {
  static std::mutex mutex;
  static auto* made = new std::list<Vfs>;  // they stay: open files use them
  const std::lock_guard lock(mutex);
  sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
  for (const Vfs& vfs : *made) {
    if (vfs.real == real) return vfs.name.c_str();
  }
  Vfs& vfs = made->emplace_back(Vfs{*real, real, absl::StrCat("warmline-clean-", made->size())});
  vfs.base.pNext = nullptr;
  vfs.base.zName = vfs.name.c_str();
  vfs.base.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  vfs.base.xOpen = Open;
  sqlite3_vfs_register(&vfs.base, 0);
  return vfs.name.c_str();
}

bool CleanPage(std::span<std::uint8_t> page, bool first) {
  const std::size_t head = first ? kFileHeaderBytes : 0;
  const std::uint8_t type = page[head];
  const bool leaf = type == 10 || type == 13;
  if (!leaf && type != 2 && type != 5) return false;
  const std::size_t cells = Load16(page, head + 3);
  const std::size_t declared = Load16(page, head + 5);
  const std::size_t content = declared == 0 ? kMaxPageBytes : declared;
  const std::size_t pointers_end = head + (leaf ? 8 : 12) + 2 * cells;
  if (pointers_end > content || content > page.size()) return false;
  bool changed = Wipe(page.subspan(pointers_end, content - pointers_end));
  for (std::size_t block = Load16(page, head + 1), last = 0; block != 0; last = block, block = Load16(page, block)) {
    if (block < content || block <= last || block + kFreeblockHead > page.size()) break;
    const std::size_t size = Load16(page, block + 2);
    if (size < kFreeblockHead || block + size > page.size()) break;
    changed = Wipe(page.subspan(block + kFreeblockHead, size - kFreeblockHead)) || changed;
  }
  return changed;
}

absl::StatusOr<std::int64_t> CleanFile(sqlite3* connection, std::int64_t from, std::int64_t count) {
  sqlite3_file* file = nullptr;
  if (const int code = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file); code != SQLITE_OK)
    return ToStatus(connection, code);
  if (file->pMethods != &kMethods || !reinterpret_cast<File*>(file)->cleans) return -1;
  sqlite3_file* real = Real(file);
  std::array<std::uint8_t, kFileHeaderBytes> head{};
  sqlite3_int64 bytes = 0;
  if (real->pMethods->xFileSize(real, &bytes) != SQLITE_OK || bytes < static_cast<sqlite3_int64>(head.size()) ||
      real->pMethods->xRead(real, head.data(), static_cast<int>(head.size()), 0) != SQLITE_OK)
    return -1;
  const std::size_t declared = Load16(head, kPageSizeAt);
  const std::size_t size = declared == 1 ? kMaxPageBytes : declared;
  if (!IsPageSize(size) || head[kReservedAt] != 0) return -1;
  const std::int64_t pages = std::min<std::int64_t>(bytes / static_cast<std::int64_t>(size), kMaxCleanedPages);
  const std::int64_t end = std::min<std::int64_t>(pages, from + count);
  std::vector<std::uint8_t> page(size);
  for (std::int64_t number = from; number < end; ++number) {
    const std::int64_t at = number * static_cast<std::int64_t>(size);
    const std::lock_guard lock(Writing());
    int code = real->pMethods->xRead(real, page.data(), static_cast<int>(size), at);
    if (code == SQLITE_OK && CleanPage(page, number == 0))
      code = real->pMethods->xWrite(real, page.data(), static_cast<int>(size), at);
    if (code != SQLITE_OK) return ToStatus(nullptr, code);
  }
  if (end < pages) return end;
  if (const int code = real->pMethods->xSync(real, SQLITE_SYNC_NORMAL); code != SQLITE_OK)
    return ToStatus(nullptr, code);
  return -1;
}

}  // namespace warmline::storage::sqlite
