// A gate between a client and a server, through which all their bytes go, and which does to them what a network may:
// delay, hold, cut, cut in the middle, change. Thread-safety: all calls from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace warmline::testing {

class TcpGate {
 public:
  enum class Mode {
    kOpen,
    kDelay,     // every piece waits 5 to 50 ms
    kHalfOpen,  // connections stay, nothing passes
    kTruncate,  // a piece is cut in the middle, then the connection is
    kCorrupt,   // now and then a byte is changed
    kClosed,    // new connections are refused
  };
  // Listens on a port of its own; forwards to a port of 127.0.0.1.
  TcpGate(int target_port, std::uint64_t seed);
  ~TcpGate();
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  [[nodiscard]] int port() const { return port_; }
  void Set(Mode mode) { mode_ = mode; }
  // Ends every connection that is there.
  void Cut();

 private:
  struct Link;
  void Accept();
  void Forward(const std::shared_ptr<Link>& link);
  // False when the connection must end.
  bool Pass(int from, int to, std::mt19937_64& random);

  const int target_port_;
  std::atomic<std::uint64_t> seed_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<Mode> mode_{Mode::kOpen};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<Link>> links_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace warmline::testing
