#include "storage/sqlite/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

namespace warmline::storage::sqlite {
namespace {

constexpr std::int64_t kBlockBytes = 4096;

}  // namespace

void Reserve::Keep() {
  const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  struct stat about {};
  struct statvfs disk {};
  const bool known = fstat(file, &about) == 0 && fstatvfs(file, &disk) == 0;
  // What the file holds really, not what its size says.
  const std::int64_t held = known ? std::int64_t{about.st_blocks} * 512 : 0;
  const std::int64_t free = known ? static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize) : 0;
  // On a disk that was full when it was given up, what it held is wanted back before others take it: to the last block.
  const std::int64_t wanted = std::min(kReserveBytes, std::max((held + free) / 4, std::min(given_up_, held + free)));
  std::int64_t kept = held;
  for (std::int64_t step = wanted / kBlockBytes * kBlockBytes; step > 0; step = step / 2 / kBlockBytes * kBlockBytes) {
    if (kept + step <= wanted && posix_fallocate(file, 0, kept + step) == 0) kept += step;
  }
  if (kept >= given_up_) given_up_ = 0;
  bytes_.store(std::min(kept, kReserveBytes), std::memory_order_relaxed);
  close(file);
}

bool Reserve::Release() {
  const std::int64_t had = bytes_.exchange(0, std::memory_order_relaxed);
  given_up_ = std::max(given_up_, had);
  return truncate(path_.c_str(), 0) == 0 && had > 0;
}

}  // namespace warmline::storage::sqlite
