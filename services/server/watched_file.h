// Notices that a file is another than before: its inode, size or time of change. Follows links, as those that
// Kubernetes exchanges for a new Secret. One thread.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <tuple>

namespace warmline::server {

class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)), last_(Look()) {}
  // True once for each change since the last call. A file that is away has not changed.
  [[nodiscard]] bool Changed() {
    const Mark now = Look();
    if (now == Mark{} || now == last_) return false;
    last_ = now;
    return true;
  }

 private:
  using Mark = std::tuple<std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;
  [[nodiscard]] Mark Look() const {
    struct stat file {};
    if (path_.empty() || stat(path_.c_str(), &file) != 0) return {};
    return {file.st_ino, file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
  }
  std::string path_;
  Mark last_;
};

}  // namespace warmline::server
