// A whole Warmline process: store, index, API, operations port; put together, started, and drained.
// Thread-safety: Start, Drain and the destructor by one thread.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "application/metrics.h"
#include "server/config.h"

namespace warmline::server {

class Server {
 public:
  // Opens the store, loads every pool, then listens. Errors name what to do: port taken, directory not writable,
  // database in use, damaged, or of a newer version, tokens missing. `metrics`, which outlives the server, is told what
  // happens in the place of Prometheus' registry, and /metrics then shows the process alone.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config,
                                                                     application::Metrics* metrics = nullptr);
  // Drains, if that was not done.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] int port() const;
  [[nodiscard]] int ops_port() const;
  // Says everywhere that no new call is wanted here (health, /readyz, the end of watches), and goes on answering those
  // that come all the same, until who sends them has noticed.
  void BeginDrain();
  // BeginDrain, if that was not done; then calls end, at most in config.drain_timeout; then writes that wait are
  // finished.
  void Drain();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The version of this program.
[[nodiscard]] const char* Version();

}  // namespace warmline::server
