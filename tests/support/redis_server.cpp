#include "support/redis_server.h"

#include <hiredis/hiredis.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

namespace warmline::testing {
namespace {

// Sentinels that could not agree on a fail-over try again after a while.
constexpr int kWaitMs = 60'000;

bool WaitFor(const std::function<bool()>& holds) {
  for (int waited = 0; waited < kWaitMs; waited += 20) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

std::string TextOf(const redisReply* reply) {
  switch (reply->type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply->integer);
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply->str, reply->len);
    case REDIS_REPLY_ARRAY: {
      std::string all;
      for (std::size_t i = 0; i < reply->elements; ++i) all += (i == 0 ? "" : "\n") + TextOf(reply->element[i]);
      return all;
    }
    default:
      return {reply->str, reply->len};
  }
}

std::string Ask(int port, const std::vector<std::string>& command) {
  const timeval timeout{2, 0};
  const std::unique_ptr<redisContext, decltype(&redisFree)> context(redisConnectWithTimeout("127.0.0.1", port, timeout),
                                                                    redisFree);
  if (context == nullptr || context->err != 0) return "-not connected";
  redisSetTimeout(context.get(), timeout);
  std::vector<const char*> values;
  std::vector<std::size_t> sizes;
  for (const auto& argument : command) {
    values.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  void* raw = redisCommandArgv(context.get(), static_cast<int>(values.size()), values.data(), sizes.data());
  if (raw == nullptr) return "-no reply";
  const std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply(static_cast<redisReply*>(raw), freeReplyObject);
  return TextOf(reply.get());
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

RedisServer::RedisServer(std::vector<std::string> options)
    : options_(std::move(options)), directory_(TemporaryDirectory("redis")), port_(FreePort()) {
  Start();
}

RedisServer::~RedisServer() {
  server_.Kill9();
  std::filesystem::remove_all(directory_);
}

void RedisServer::Start() {
  std::vector<std::string> command = {"redis-server",
                                      "--port",
                                      std::to_string(port_),
                                      "--bind",
                                      "127.0.0.1",
                                      "--unixsocket",
                                      socket(),
                                      "--dir",
                                      directory_,
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "no",
                                      "--repl-diskless-sync-delay",
                                      "0"};
  command.insert(command.end(), options_.begin(), options_.end());
  server_ = ChildProcess(command, false, directory_ + "/log");
  (void)WaitFor([&] { return runs(); });
}

bool RedisServer::runs() const {
  const std::string reply = Do({"PING"});
  return reply == "PONG" || Contains(reply, "NOAUTH");
}

std::string RedisServer::Do(const std::vector<std::string>& command) const { return Ask(port_, command); }

RedisSentinels::RedisSentinels() : directory_(TemporaryDirectory("sentinels")) {
  for (int i = 0; i < 3; ++i) {
    std::vector<std::string> options;
    if (i > 0) options = {"--replicaof", "127.0.0.1", std::to_string(servers_[0]->port())};
    servers_.push_back(std::make_unique<RedisServer>(options));
  }
  for (int i = 0; i < 3; ++i) {
    const int port = FreePort();
    const std::string file = directory_ + "/sentinel" + std::to_string(i) + ".conf";
    std::ofstream(file) << "port " << port << "\nbind 127.0.0.1\ndir " << directory_
                        << "\nsentinel monitor warm 127.0.0.1 " << servers_[0]->port()
                        << " 2\nsentinel down-after-milliseconds warm 300\nsentinel failover-timeout warm 2000\n"
                           "sentinel parallel-syncs warm 2\n";
    sentinels_.emplace_back(std::vector<std::string>{"redis-server", file, "--sentinel"}, false, file + ".log");
    sentinel_ports_.push_back(port);
  }
  ready_ = WaitFor([&] {
    for (const int port : sentinel_ports_) {
      if (!Contains(Ask(port, {"SENTINEL", "CKQUORUM", "warm"}), "OK 3")) return false;
    }
    return Contains(servers_[0]->Do({"INFO", "replication"}), "connected_slaves:2") &&
           Contains(Ask(sentinel_ports_[0], {"SENTINEL", "master", "warm"}), "num-slaves\n2");
  });
}

std::string RedisSentinels::url() const {
  std::string url = "sentinel://";
  for (std::size_t i = 0; i < sentinel_ports_.size(); ++i)
    url += (i == 0 ? "" : ",") + ("127.0.0.1:" + std::to_string(sentinel_ports_[i]));
  return url + "/warm";
}

RedisServer* RedisSentinels::master() const {
  const std::string address = Ask(sentinel_ports_[0], {"SENTINEL", "get-master-addr-by-name", "warm"});
  for (const auto& server : servers_) {
    if (Contains(address, "\n" + std::to_string(server->port()))) return server.get();
  }
  return nullptr;
}

bool RedisSentinels::FailOver() {
  RedisServer* const old = master();
  if (old == nullptr) return false;
  old->Kill9();
  const bool moved = WaitFor([&] {
    const RedisServer* now = master();
    return now != nullptr && now != old && Contains(now->Do({"ROLE"}), "master");
  });
  old->Start();
  // It becomes a replica of the new one, and may take over in its turn.
  return moved && WaitFor([&] {
           return Contains(old->Do({"INFO", "replication"}), "master_link_status:up");
         }) &&
         WaitFor([&] {
           return Contains(Ask(sentinel_ports_[0], {"SENTINEL", "CKQUORUM", "warm"}), "OK 3");
         });
}

RedisCluster::RedisCluster() {
  std::vector<std::string> create = {"redis-cli", "--cluster", "create"};
  for (int i = 0; i < 6; ++i) {
    servers_.push_back(std::make_unique<RedisServer>(
        std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-node-timeout", "500", "--cluster-config-file",
                                 "nodes.conf", "--cluster-require-full-coverage", "no"}));
    create.push_back("127.0.0.1:" + std::to_string(servers_.back()->port()));
  }
  create.insert(create.end(), {"--cluster-replicas", "1", "--cluster-yes"});
  ChildProcess creation(create);
  ready_ = creation.Wait() && WaitUntilWhole();
}

bool RedisCluster::WaitUntilWhole() const {
  return WaitFor([&] {
    for (const auto& server : servers_) {
      const std::string info = server->Do({"CLUSTER", "INFO"});
      if (!Contains(info, "cluster_state:ok") || !Contains(info, "cluster_slots_ok:16384")) return false;
      const std::string replication = server->Do({"INFO", "replication"});
      if (Contains(replication, "role:slave") && !Contains(replication, "master_link_status:up")) return false;
    }
    return true;
  });
}

std::string RedisCluster::url() const {
  std::string url = "cluster://";
  for (std::size_t i = 0; i < 3; ++i) url += (i == 0 ? "" : ",") + ("127.0.0.1:" + std::to_string(servers_[i]->port()));
  return url;
}

RedisServer* RedisCluster::MasterOf(const std::string& key) const {
  for (const auto& server : servers_) {
    if (!Contains(server->Do({"ROLE"}), "master")) continue;
    const std::string reply = server->Do({"EXISTS", key});
    if (reply == "0" || reply == "1") return server.get();
  }
  return nullptr;
}

bool RedisCluster::FailOver(const std::string& key) {
  RedisServer* const old = MasterOf(key);
  if (old == nullptr) return false;
  old->Kill9();
  const bool moved = WaitFor([&] {
    const RedisServer* now = MasterOf(key);
    return now != nullptr && now != old;
  });
  old->Start();
  return moved && WaitUntilWhole();
}

bool RedisCluster::MoveSlotOf(const std::string& key) {
  RedisServer* const from = MasterOf(key);
  RedisServer* to = nullptr;
  for (const auto& server : servers_) {
    if (server.get() != from && Contains(server->Do({"ROLE"}), "master")) to = server.get();
  }
  if (from == nullptr || to == nullptr) return false;
  const std::string slot = from->Do({"CLUSTER", "KEYSLOT", key});
  const std::string from_id = from->Do({"CLUSTER", "MYID"});
  const std::string to_id = to->Do({"CLUSTER", "MYID"});
  if (to->Do({"CLUSTER", "SETSLOT", slot, "IMPORTING", from_id}) != "OK" ||
      from->Do({"CLUSTER", "SETSLOT", slot, "MIGRATING", to_id}) != "OK")
    return false;
  for (std::string keys; (keys = from->Do({"CLUSTER", "GETKEYSINSLOT", slot, "1"})) != "";) {
    if (from->Do({"MIGRATE", "127.0.0.1", std::to_string(to->port()), keys, "0", "2000"})[0] == '-') return false;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // callers are sent on with ASK meanwhile
  for (const auto& server : servers_) {
    if (Contains(server->Do({"ROLE"}), "master")) (void)server->Do({"CLUSTER", "SETSLOT", slot, "NODE", to_id});
  }
  return WaitUntilWhole();
}

}  // namespace warmline::testing
