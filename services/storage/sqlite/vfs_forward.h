// The methods of a file of a VFS that stands before another one: each passes the call on. A VFS takes `Methods()` and
// puts its own methods in the place of some. Thread-safety: that of the file behind.
#pragma once

#include <sqlite3.h>

namespace warmline::storage::sqlite {

// `File` begins with an sqlite3_file; the structure of the file behind follows it in memory.
template <typename File>
struct Forward {
  static sqlite3_file* Real(sqlite3_file* f) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(f) + 1); }
  static const sqlite3_io_methods& To(sqlite3_file* f) { return *Real(f)->pMethods; }

  static int Close(sqlite3_file* f) { return To(f).xClose(Real(f)); }
  static int Read(sqlite3_file* f, void* p, int n, sqlite3_int64 at) { return To(f).xRead(Real(f), p, n, at); }
  static int Write(sqlite3_file* f, const void* p, int n, sqlite3_int64 at) { return To(f).xWrite(Real(f), p, n, at); }
  static int Truncate(sqlite3_file* f, sqlite3_int64 size) { return To(f).xTruncate(Real(f), size); }
  static int Sync(sqlite3_file* f, int flags) { return To(f).xSync(Real(f), flags); }
  static int FileSize(sqlite3_file* f, sqlite3_int64* size) { return To(f).xFileSize(Real(f), size); }
  static int Lock(sqlite3_file* f, int kind) { return To(f).xLock(Real(f), kind); }
  static int Unlock(sqlite3_file* f, int kind) { return To(f).xUnlock(Real(f), kind); }
  static int CheckReservedLock(sqlite3_file* f, int* out) { return To(f).xCheckReservedLock(Real(f), out); }
  static int FileControl(sqlite3_file* f, int op, void* arg) { return To(f).xFileControl(Real(f), op, arg); }
  static int SectorSize(sqlite3_file* f) { return To(f).xSectorSize(Real(f)); }
  static int Characteristics(sqlite3_file* f) { return To(f).xDeviceCharacteristics(Real(f)); }
  static int ShmMap(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
    return To(f).xShmMap(Real(f), page, size, extend, out);
  }
  static int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
    return To(f).xShmLock(Real(f), offset, n, flags);
  }
  static void ShmBarrier(sqlite3_file* f) { To(f).xShmBarrier(Real(f)); }
  static int ShmUnmap(sqlite3_file* f, int remove) { return To(f).xShmUnmap(Real(f), remove); }

  // Of version 2, without memory maps: nothing reads or writes the file past these methods.
  static constexpr sqlite3_io_methods Methods() {
    return {2,
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
  }
};

}  // namespace warmline::storage::sqlite
