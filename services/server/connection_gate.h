// The door of the gRPC API's port: listens, accepts, and hands connections on, within the limits of
// transport_options.h, which gRPC itself does not have. It keeps a second descriptor of every connection, by which it
// learns when the connection ends, how much has come in, and by which it ends one that breaks a limit. Thread-safety:
// Listen, Begin, StopAccepting and the destructor by one thread; the rest from any.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "application/metrics.h"
#include "base/descriptor.h"
#include "base/listen_sockets.h"
#include "server/connection_table.h"

namespace warmline::server {

// The accept loop is stuck when it did not turn for this long although descriptors are free.
inline constexpr absl::Duration kStuckAfter = absl::Minutes(1);
// Descriptors that the gate leaves to the store, Redis and files, and to the operations port.
inline constexpr std::int64_t kReservedDescriptors = 512;
// A stranger may send this much more than one message.
inline constexpr std::int64_t kStrangerSpareBytes = std::int64_t{1024} * 1024;
// A stranger may make this many calls without an accepted token, and so many more a second, for those who ask for
// health.
inline constexpr int kRefusedCalls = 100;
inline constexpr int kRefusedCallsPerSecond = 10;

// What calls tell of the connection on which they came. Thread-safe.
struct ConnectionProgress {
  // Calls of the API that run: their token was accepted, or they would have ended at once.
  std::atomic<int> open_calls{0};
  // Calls of health and reflection, which ask for no token.
  std::atomic<int> open_probes{0};
  // Calls that ended without an accepted token, requests that were reset or are no requests among them.
  std::atomic<int> refused_calls{0};
  // Unix milliseconds of the last call that began or ended.
  std::atomic<std::int64_t> last_call_ms{0};
  // A call was answered for an accepted token.
  std::atomic<bool> known{false};
  // An eventfd that makes the gate look at its strangers at once.
  int wake = -1;
};

class ConnectionGate {
 public:
  // Listens at once, so that a taken port is an error at start; connections wait until Begin. `max_message_bytes` is
  // the most that one message of a stranger takes. Errors: UNAVAILABLE or ALREADY_EXISTS, naming what failed.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ConnectionGate>> Listen(const std::string& host, int port,
                                                                              const TransportOptions& options,
                                                                              std::int64_t max_message_bytes,
                                                                              application::Metrics& metrics);
  ~ConnectionGate();
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  [[nodiscard]] int port() const { return sockets_.port; }
  // Gives each accepted descriptor to `take`, which owns it, on a thread for this alone: gRPC goes on to read there,
  // for as long as a flood lasts, and the gate has to see the flood.
  void Begin(std::function<void(int fd)> take);
  // Closes the listening sockets; `take` is not called again once this returns. Connections go on.
  void StopAccepting();
  // Of the peer's connection, by the name that gRPC has for it; null where there is none.
  [[nodiscard]] std::shared_ptr<ConnectionProgress> Find(std::string_view grpc_peer) const;
  // Whether the accept loop has been stuck for kStuckAfter although descriptors are free.
  [[nodiscard]] bool Stuck() const;

 private:
  struct Connection {
    base::Descriptor socket;
    std::string peer;
    absl::Time accepted;
    std::shared_ptr<ConnectionProgress> progress;
  };
  using Id = ConnectionTable::Id;

  ConnectionGate(base::ListenSockets sockets, const TransportOptions& options, std::int64_t max_message_bytes,
                 application::Metrics& metrics);
  void Run();
  void HandOver();
  void HandleEvent(std::uint64_t what);
  void AcceptFrom(int listener);
  void Shed(int listener);
  void Admit(base::Descriptor socket);
  void Sweep(absl::Time now);
  void LookAtStrangers(absl::Time now);
  void LookAtIdle(absl::Time now);
  // Ends a connection that breaks a limit; gRPC and its record notice by themselves.
  void End(Id id, const char* reason);
  void Forget(Id id);
  void Report();

  base::ListenSockets sockets_;
  const TransportOptions options_;
  const std::int64_t max_stranger_bytes_;
  application::Metrics& metrics_;
  ConnectionTable table_;  // by the gate's thread
  absl::flat_hash_map<Id, Connection> connections_;
  Id next_id_;
  absl::Time last_idle_look_ = absl::InfinitePast();
  absl::Time trim_at_ = absl::InfiniteFuture();
  std::pair<std::int64_t, std::int64_t> reported_{-1, -1};
  base::Descriptor epoll_;
  base::Descriptor wake_;
  base::Descriptor spare_;  // given up to accept, and close, a connection when no descriptor is left
  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<ConnectionProgress>> progress_;  // by peer, guarded by mutex_
  std::function<void(int)> take_;
  std::atomic<bool> accepting_{true};
  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> last_turn_ms_;
  std::thread thread_;
  std::mutex accept_mutex_;  // held while connections are accepted
  std::mutex take_mutex_;    // held while one is handed over
  std::mutex handover_mutex_;
  std::condition_variable handover_changed_;
  std::deque<base::Descriptor> handover_;           // at most max_connections; guarded by handover_mutex_
  std::atomic<std::int64_t> handover_since_ms_{0};  // when the one that is handed over began to wait; 0: none is
  std::thread handover_thread_;
};

}  // namespace warmline::server
