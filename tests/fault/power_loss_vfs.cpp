#include "fault/power_loss_vfs.h"

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

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

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1); }

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

int Close(sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); }
int Read(sqlite3_file* f, void* p, int n, sqlite3_int64 at) { return Real(f)->pMethods->xRead(Real(f), p, n, at); }
int Write(sqlite3_file* f, const void* p, int n, sqlite3_int64 at) {
  return Real(f)->pMethods->xWrite(Real(f), p, n, at);
}
int Truncate(sqlite3_file* f, sqlite3_int64 size) { return Real(f)->pMethods->xTruncate(Real(f), size); }
int FileSize(sqlite3_file* f, sqlite3_int64* size) { return Real(f)->pMethods->xFileSize(Real(f), size); }
int Lock(sqlite3_file* f, int kind) { return Real(f)->pMethods->xLock(Real(f), kind); }
int Unlock(sqlite3_file* f, int kind) { return Real(f)->pMethods->xUnlock(Real(f), kind); }
int CheckReservedLock(sqlite3_file* f, int* out) { return Real(f)->pMethods->xCheckReservedLock(Real(f), out); }
int FileControl(sqlite3_file* f, int op, void* arg) { return Real(f)->pMethods->xFileControl(Real(f), op, arg); }
int SectorSize(sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); }
// No promises: a sector may be torn, appends may be out of order.
int Characteristics(sqlite3_file*) { return 0; }
int ShmMap(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
}
int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
  return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
}
void ShmBarrier(sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); }
int ShmUnmap(sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); }

const sqlite3_io_methods kMethods = {2,
                                     Close,
                                     Read,
                                     Write,
                                     Truncate,
                                     Sync,
                                     FileSize,
                                     Lock,
                                     Unlock,
                                     CheckReservedLock,
                                     FileControl,
                                     SectorSize,
                                     Characteristics,
                                     ShmMap,
                                     ShmLock,
                                     ShmBarrier,
                                     ShmUnmap,
                                     nullptr,
                                     nullptr};

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
