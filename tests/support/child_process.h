// A program of its own, quiet, that ends with the object. One thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace warmline::testing {

class ChildProcess {
 public:
  ChildProcess() = default;
  // Starts `command`; `as_postgres`: as the user postgres when this is root, since PostgreSQL refuses to run as root.
  // What it writes goes to `log_path`, or nowhere.
  explicit ChildProcess(const std::vector<std::string>& command, bool as_postgres = false,
                        const std::string& log_path = {});
  ChildProcess(ChildProcess&& other) noexcept : pid_(other.pid_) { other.pid_ = -1; }
  ChildProcess& operator=(ChildProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Asks it to end (SIGINT) and waits.
  ~ChildProcess() { Stop(); }

  // True when it ended with 0.
  bool Wait();
  void Stop();
  void Kill9();
  void Signal(int signal) const;
  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

// A port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] int FreePort();
// A directory of its own below the one for temporary files, which the user postgres may write to where `for_postgres`.
[[nodiscard]] std::string TemporaryDirectory(const std::string& name, bool for_postgres = false);

}  // namespace warmline::testing
