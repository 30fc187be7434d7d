// The database file without leftovers. `secure_delete` overwrites what is deleted where it stands, but SQLite leaves
// copies behind when it moves cells between pages: in the space of a page that no cell uses. Every page that goes into
// the database file (at a checkpoint) goes there with that space overwritten; pages that an older program wrote are
// cleaned by `CleanFile`. Readers never look at that space, so nothing has to wait.
// Thread-safety: all calls from any thread.
#pragma once

#include <absl/status/statusor.h>
#include <sqlite3.h>

#include <cstdint>
#include <span>

namespace warmline::storage::sqlite {

// The name of a VFS over the default one that cleans the pages of database files as they are written. The write-ahead
// log gets them as they are: it must be cut (a checkpoint with TRUNCATE). It leaves alone what it cannot tell from
// other pages: files with `auto_vacuum`, and pages past kMaxCleanedPages.
[[nodiscard]] const char* CleanVfs();

// A page number below this has a first byte that no page of a table or index begins with: 128 GiB of 4 KiB pages.
inline constexpr std::int64_t kMaxCleanedPages = std::int64_t{1} << 25;

// Overwrites what no cell uses in a page of a table or an index; `first`: it is the file's first. False when nothing
// had to be changed, and for any other page.
bool CleanPage(std::span<std::uint8_t> page, bool first);

// Cleans at most `count` pages of the file of an open connection to a database that was opened with CleanVfs, from page
// `from` (0 is the first) on. The page to go on from; -1 at the end of the file.
[[nodiscard]] absl::StatusOr<std::int64_t> CleanFile(sqlite3* connection, std::int64_t from, std::int64_t count);

}  // namespace warmline::storage::sqlite
