// The sockets of the operations port. One thread of its own takes connections, reads each request whole within a
// deadline, and sends the answers, never waiting for any one caller: slow callers hold a place, and no thread. When all
// places are taken, the caller whose request has been incomplete for longest makes room. Thread-safety: Start and Stop
// by one thread; Reply from any.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/time/time.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/listen_sockets.h"
#include "console/http_connection.h"

namespace warmline::console {

// Connections at once.
inline constexpr int kMaxHttpConnections = 256;
// For a whole request from the connection on, TLS included; and for a whole answer from when it is made.
inline constexpr absl::Duration kRequestTime = absl::Seconds(5);
inline constexpr absl::Duration kAnswerTime = absl::Seconds(10);

class HttpFront {
 public:
  struct Request {
    std::uint64_t id = 0;
    std::string bytes;
    std::string peer_ip;
    int peer_port = 0;
  };
  struct Hooks {
    // A request is whole: Reply has to be called for its id, once, from any thread. Must not wait.
    std::function<void(Request)> take;
    // The number of open connections changed; one was refused or ended, with the reason's label.
    std::function<void(std::int64_t open)> held;
    std::function<void(const char* reason)> refused;
  };

  // `tls` may be null, and outlives the front otherwise.
  HttpFront(Hooks hooks, SSL_CTX* tls);
  ~HttpFront();
  HttpFront(const HttpFront&) = delete;
  HttpFront& operator=(const HttpFront&) = delete;

  // Errors as base::ListenOn has them.
  [[nodiscard]] absl::Status Start(const std::string& host, int port);
  [[nodiscard]] int port() const { return sockets_.port; }
  void Reply(std::uint64_t id, std::string answer);
  // Takes no more connections, and gives those that wait for their answer a moment to get it.
  void Stop();

 private:
  struct Entry {
    HttpConnection connection;
    std::string peer_ip;
    int peer_port = 0;
  };
  void Run();
  void AcceptFrom(int listener);
  bool MakeRoom();
  void SendReplies();
  void Continue(std::uint64_t id);
  void Watch(std::uint64_t id);
  void Expire(absl::Time now);
  void Forget(std::uint64_t id);

  Hooks hooks_;
  SSL_CTX* tls_;
  base::ListenSockets sockets_;
  base::Descriptor epoll_;
  base::Descriptor wake_;
  absl::flat_hash_map<std::uint64_t, std::unique_ptr<Entry>> entries_;  // by the thread
  std::uint64_t next_id_;
  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, std::string>> replies_;  // guarded by mutex_
  bool stopping_ = false;                                       // guarded by mutex_
  std::thread thread_;
};

}  // namespace warmline::console
