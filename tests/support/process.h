// A `warmline serve` of its own process, so that it can be killed. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/test_server.h"

namespace warmline::testing {

class ServeProcess {
 public:
  // Starts the program on a directory and waits until it listens, or ends.
  // `options` as on the command line; a port that is not named is chosen.
  // `program` lies beside the test's.
  // `in_child` runs in the new process before the program, for example to limit what it may have.
  explicit ServeProcess(const std::string& data_dir, const std::vector<std::string>& options = {},
                        const std::string& program = "warmline", const std::function<void()>& in_child = {});
  // Kills it, if it runs.
  ~ServeProcess();
  ServeProcess(const ServeProcess&) = delete;
  ServeProcess& operator=(const ServeProcess&) = delete;

  [[nodiscard]] bool listens() const { return port_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int ops_port() const { return ops_port_; }
  // Memory that it holds now (VmRSS).
  [[nodiscard]] std::int64_t ResidentBytes() const;
  // The most that it has held so far (VmHWM).
  [[nodiscard]] std::int64_t PeakResidentBytes() const;
  [[nodiscard]] const std::string& token() const { return token_; }
  [[nodiscard]] const std::string& log() const { return log_; }
  // Everything that it has logged by now.
  const std::string& ReadLog();
  [[nodiscard]] std::shared_ptr<grpc::Channel> Connect() const;
  [[nodiscard]] std::unique_ptr<grpc::ClientContext> Context(int timeout_ms = 10'000) const;
  void Kill9();
  void Signal(int signal) const;
  // Waits until it ends by itself; its exit code, or -1 when it was killed.
  int WaitForEnd();

 private:
  pid_t pid_ = -1;
  int port_ = 0;
  int ops_port_ = 0;
  std::string token_;
  std::string log_;
  int log_end_ = -1;  // of the pipe, to read from
};

}  // namespace warmline::testing
