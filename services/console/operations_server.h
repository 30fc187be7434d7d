// The operations HTTP port: metrics and health for machines, and with the console the JSON form of the reads
// (json_api.h) and a page for people. Metrics and health ask for no token and show no member; the rest does what the
// token allows. Thread-safety: Start and Stop by one thread; UseCertificate and ServeApi from any.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>

namespace warmline::console {

// Threads that answer what is neither probe nor scrape, json_api.h's kMaxJsonCalls among it.
inline constexpr int kHttpThreads = 8;

struct OperationsHooks {
  // Text exposition format.
  std::function<std::string()> metrics;
  // Whether start-up is over.
  std::function<bool()> started;
  // Empty when calls may come, or why not.
  std::function<std::string()> not_ready;
  // Whether the process has to be started anew: its API takes no connections although it could.
  std::function<bool()> stuck;
  // For metrics (application/metrics.h).
  std::function<void(const char* port, std::int64_t open)> held;
  std::function<void(const char* port, const char* reason)> refused;
};

struct OperationsOptions {
  bool console = true;
  // PEM files; empty: no TLS.
  std::string cert_file;
  std::string key_file;
};

class OperationsServer {
 public:
  OperationsServer(OperationsHooks hooks, OperationsOptions options);
  ~OperationsServer();
  OperationsServer(const OperationsServer&) = delete;
  OperationsServer& operator=(const OperationsServer&) = delete;

  // Listens on `host:port`; port 0 chooses one. UNAVAILABLE when it cannot, with the remedy; INVALID_ARGUMENT for a
  // certificate that cannot be used.
  [[nodiscard]] absl::Status Start(const std::string& host, int port);
  // From here on the JSON form of the reads is answered, by calls over `channel`; before, it is UNAVAILABLE.
  void ServeApi(std::shared_ptr<grpc::Channel> channel);
  // Reads the certificate again, for connections that come; after an error the one before stays in use.
  [[nodiscard]] absl::Status UseCertificate();
  [[nodiscard]] int port() const;
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warmline::console
