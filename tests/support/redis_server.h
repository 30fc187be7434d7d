// Redis of the test's own: one server, a master that Sentinels watch, or a Cluster. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/child_process.h"

namespace warmline::testing {

class RedisServer {
 public:
  // `options` as on redis-server's command line. Persistence is off.
  explicit RedisServer(std::vector<std::string> options = {});
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  // False when it does not answer.
  [[nodiscard]] bool runs() const;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string socket() const { return directory_ + "/redis.sock"; }
  // A command; strings and integers as text, "(nil)", an array's elements with newlines between them, errors after "-".
  std::string Do(const std::vector<std::string>& command) const;
  void Kill9() { server_.Kill9(); }
  void Start();
  void Signal(int signal) const { server_.Signal(signal); }

 private:
  std::vector<std::string> options_;
  std::string directory_;
  int port_ = 0;
  ChildProcess server_;
};

// A master, two replicas and three Sentinels.
class RedisSentinels {
 public:
  RedisSentinels();
  RedisSentinels(const RedisSentinels&) = delete;
  RedisSentinels& operator=(const RedisSentinels&) = delete;

  [[nodiscard]] bool runs() const { return ready_; }
  [[nodiscard]] std::string url() const;
  // The server that the Sentinels call the master now.
  [[nodiscard]] RedisServer* master() const;
  // Kills the master, waits until there is another one, and starts the old one again. False when there is none in time.
  bool FailOver();

 private:
  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<ChildProcess> sentinels_;
  std::vector<int> sentinel_ports_;
  std::string directory_;
  bool ready_ = false;
};

// Three masters, each with a replica.
class RedisCluster {
 public:
  RedisCluster();
  RedisCluster(const RedisCluster&) = delete;
  RedisCluster& operator=(const RedisCluster&) = delete;

  [[nodiscard]] bool runs() const { return ready_; }
  [[nodiscard]] std::string url() const;
  // Kills the master that has a key, waits until its replica has taken over, and starts it again.
  bool FailOver(const std::string& key);
  // Moves the slot of a key to another master, key by key, as an operator would; in between callers are sent around.
  bool MoveSlotOf(const std::string& key);
  [[nodiscard]] const std::vector<std::unique_ptr<RedisServer>>& servers() const { return servers_; }

 private:
  [[nodiscard]] RedisServer* MasterOf(const std::string& key) const;
  [[nodiscard]] bool WaitUntilWhole() const;
  std::vector<std::unique_ptr<RedisServer>> servers_;
  bool ready_ = false;
};

}  // namespace warmline::testing
