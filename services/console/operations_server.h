// The operations HTTP port: metrics and health for machines. Thread-safety: Start and Stop by one thread.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <memory>
#include <string>

namespace warmline::console {

struct OperationsHooks {
  // Text exposition format.
  std::function<std::string()> metrics;
  // Whether start-up is over.
  std::function<bool()> started;
  // Empty when calls may come, or why not.
  std::function<std::string()> not_ready;
};

class OperationsServer {
 public:
  explicit OperationsServer(OperationsHooks hooks);
  ~OperationsServer();
  OperationsServer(const OperationsServer&) = delete;
  OperationsServer& operator=(const OperationsServer&) = delete;

  // Listens on `host:port`; port 0 chooses one. UNAVAILABLE when it cannot, with the remedy.
  [[nodiscard]] absl::Status Start(const std::string& host, int port);
  [[nodiscard]] int port() const;
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warmline::console
