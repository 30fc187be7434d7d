#include "fault/power_loss_vfs.h"

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "storage/sqlite/vfs_forward.h"

namespace warmline::testing {
namespace {

sqlite3_vfs* real = nullptr;

// The bytes of each file at its last sync.
std::map<std::string, std::string>& Durable() {
  static auto* map = new std::map<std::string, std::string>;
  return *map;
}

struct File {
  sqlite3_file base;
  char name[512];
  // The real file's structure follows.
};

sqlite3_file* Real(sqlite3_file* file) { return storage::sqlite::Forward<File>::Real(file); }

std::string Bytes(const std::string& path) {
  std::ifstream input(path, std::ios::binary);
  std::stringstream bytes;
  bytes << input.rdbuf();
  return bytes.str();
}

int Sync(sqlite3_file* file, int flags) {
  const int code = Real(file)->pMethods->xSync(Real(file), flags);
  const char* name = reinterpret_cast<File*>(file)->name;
  if (code == SQLITE_OK && name[0] != '\0') Durable()[name] = Bytes(name);
  return code;
}

// No promises: a sector may be torn, appends may be out of order.
int Characteristics(sqlite3_file*) { return 0; }

const sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = storage::sqlite::Forward<File>::Methods();
  methods.xSync = Sync;
  methods.xDeviceCharacteristics = Characteristics;
  return methods;
}();

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* mine = reinterpret_cast<File*>(file);
  std::memset(mine, 0, sizeof(File));
  const int code = real->xOpen(real, name, Real(file), flags, out_flags);
  if (name != nullptr) std::strncpy(mine->name, name, sizeof(mine->name) - 1);
  file->pMethods = code == SQLITE_OK ? &kMethods : nullptr;
  return code;
}

// Deleting is durable at once: the stricter reading would be that it may or may not be, and SQLite syncs the directory
// for it.
int Delete(sqlite3_vfs*, const char* name, int sync_directory) {
  Durable().erase(name);
  return real->xDelete(real, name, sync_directory);
}

}  // namespace

void RegisterPowerLossVfs() {
  real = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs vfs;
  vfs = *real;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  vfs.zName = "power-loss";
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  sqlite3_vfs_register(&vfs, 1);
}

void CopySurvivors(const std::string& database, const std::string& target) {
  std::filesystem::create_directories(target);
  for (const char* suffix : {"", "-wal", "-journal"}) {
    const auto found = Durable().find(database + suffix);
    if (found == Durable().end()) continue;
    std::ofstream(target + "/" + std::filesystem::path(database + suffix).filename().string(), std::ios::binary)
        << found->second;
  }
}

}  // namespace warmline::testing
