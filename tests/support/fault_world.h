// Three replicas as processes of their own, on one PostgreSQL behind gates, under writes and matches that are recorded,
// so that they can be held against the change log and the oracle afterwards. One thread, but for those it makes.
#pragma once

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "domain/need.h"
#include "support/postgres_server.h"
#include "support/process.h"
#include "support/tcp_gate.h"

namespace warmline::testing {

inline constexpr int kReplicas = 3;
inline constexpr int kMembers = 150;
inline constexpr int kTied = 30;
inline constexpr int kWriters = 3;
inline constexpr int kMatchers = 2;

inline void Sleep(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// What a writer was told is kept: the revision, and how the record is known again.
struct Acknowledged {
  std::string token;
  std::string mark;
};

// What a matcher was told.
struct Answer {
  domain::Need need;
  int top_k = 0;
  pb::MatchResponse response;
};

class FaultWorld {
 public:
  // `redis_url` as replica `i` sees it.
  FaultWorld(std::uint64_t seed, std::function<std::string(int)> redis_url)
      : seed_(seed), redis_url_(std::move(redis_url)), postgres_(), database_(postgres_.NewDatabase()) {
    for (int i = 0; i < kReplicas; ++i) {
      directories_.push_back(TemporaryDirectory("fault"));
      ports_.push_back(FreePort());
      gates_.push_back(std::make_unique<TcpGate>(postgres_.port(), seed + static_cast<std::uint64_t>(i) * 1'000));
      replicas_.push_back(nullptr);
      StartReplica(i);
    }
    for (int i = 0; i < kMembers; ++i) ids_.push_back("m" + std::to_string(i));
    tied_.assign(ids_.begin(), ids_.begin() + kTied);
    Load();
  }
  ~FaultWorld() {
    Stop();
    replicas_.clear();
    for (const auto& directory : directories_) std::filesystem::remove_all(directory);
  }
  FaultWorld(const FaultWorld&) = delete;
  FaultWorld& operator=(const FaultWorld&) = delete;

  void Begin() {
    for (int w = 0; w < kWriters; ++w) threads_.emplace_back([this, w] { Write(w); });
    for (int m = 0; m < kMatchers; ++m) threads_.emplace_back([this, m] { Match(m); });
  }
  void Stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  PostgresServer& postgres() { return postgres_; }
  TcpGate& gate(int i) { return *gates_[static_cast<std::size_t>(i)]; }
  void KillReplica(int i) {
    const std::lock_guard lock(mutex_);
    replicas_[static_cast<std::size_t>(i)]->Kill9();
  }
  void StartReplica(int i) {
    const auto at = static_cast<std::size_t>(i);
    std::unique_ptr<ServeProcess> replica;
    for (int tries = 0; tries < 60; ++tries) {
      replica = std::make_unique<ServeProcess>(
          directories_[at],
          std::vector<std::string>{"--listen", "127.0.0.1:" + std::to_string(ports_[at]), "--postgres",
                                   postgres_.ConnInfo(database_, gates_[at]->port()), "--redis", redis_url_(i),
                                   "--poll-interval-ms", "200", "--snapshot-interval-ms", "500", "--log-level", "off"});
      // With the log off it does not say that it listens: asking tells.
      if (WaitUntilServing(*replica, ports_[at])) break;
      replica->Kill9();
    }
    const std::lock_guard lock(mutex_);
    replicas_[at] = std::move(replica);
  }
  void SignalReplica(int i, int signal) {
    const std::lock_guard lock(mutex_);
    replicas_[static_cast<std::size_t>(i)]->Signal(signal);
  }

  // Everything against the change log. The world must stand still.
  void Verify();

 private:
  bool WaitUntilServing(const ServeProcess& replica, int port);
  [[nodiscard]] std::shared_ptr<grpc::Channel> ChannelTo(int i) const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(ports_[static_cast<std::size_t>(i)]),
                                     grpc::InsecureChannelCredentials(), arguments);
  }
  std::unique_ptr<grpc::ClientContext> Context(int i, int timeout_ms) const {
    std::string token;
    std::ifstream(server::OperatorTokenPath(directories_[static_cast<std::size_t>(i)])) >> token;
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", "Bearer " + token);
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
    return context;
  }
  void Load();
  void Write(int writer);
  void Match(int matcher);
  void Note(const std::string& token, const std::string& mark) {
    const std::lock_guard lock(mutex_);
    acknowledged_.push_back({token, mark});
  }

  const std::uint64_t seed_;
  const std::function<std::string(int)> redis_url_;
  PostgresServer postgres_;
  const std::string database_;
  std::vector<std::string> directories_;
  std::vector<int> ports_;
  std::vector<std::unique_ptr<TcpGate>> gates_;
  std::vector<std::string> ids_;
  std::vector<std::string> tied_;  // those whom ties and blocks are about
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::unique_ptr<ServeProcess>> replicas_;  // guarded by mutex_ once threads run
  std::vector<Acknowledged> acknowledged_;               // guarded by mutex_
  std::vector<Answer> answers_;                          // guarded by mutex_
  std::atomic<int> refused_{0};
};

}  // namespace warmline::testing
