// Room on the disk that is kept back for erasures: a file of zeros beside the database. When the disk is full it is
// given up, so that an erasure can be written, and made again afterwards. Thread-safety: one thread at a time, but for
// `bytes`.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace warmline::storage::sqlite {

// As much as a checkpoint of a whole write-ahead log may add to the database (4,000 pages), and as much again for the
// erasure itself.
inline constexpr std::int64_t kReserveBytes = std::int64_t{32} << 20;

class Reserve {
 public:
  // `path`: of the database.
  explicit Reserve(const std::string& path) : path_(path + ".reserve") {}

  // Makes it as large as it should be: kReserveBytes, at most a quarter of what the disk still has. Where the disk has
  // less than that, it stays as it is.
  void Keep();
  // Gives it up; false where there is none.
  bool Release();
  [[nodiscard]] std::int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  const std::string path_;
  std::atomic<std::int64_t> bytes_{0};
  std::int64_t given_up_ = 0;  // what it held when it was given up, until it holds that again
};

}  // namespace warmline::storage::sqlite
