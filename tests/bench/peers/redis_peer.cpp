// One sorted set an interest; ZUNIONSTORE adds them up, ZREVRANGE takes the best.
#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "bench/peers/peer.h"

namespace warmline::bench {
namespace {

class RedisPeer final : public Peer {
 public:
  std::string name() const override { return "redis_zunionstore"; }
  Scoring scoring() const override { return Scoring::kWeighted; }

  bool Load(const PeerData& data, const std::string& directory) override {
    const std::string socket = directory + "/redis.sock";
    server_ = ChildProcess({"redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
                            "--dir", directory});
    for (int i = 0; i < 100 && (redis_ == nullptr || redis_->err != 0); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      redis_.reset(redisConnectUnix(socket.c_str()));
    }
    if (redis_ == nullptr || redis_->err != 0) {
      std::fprintf(stderr, "bench_peers: redis-server does not start: is it installed (scripts/packages.txt)?\n");
      return false;
    }
    int waiting = 0;
    for (std::size_t helper = 0; helper < data.helpers.size(); ++helper) {
      for (const PeerTerm& t : data.helpers[helper]) {
        redisAppendCommand(redis_.get(), "ZADD %u %u %u", t.term, t.level, static_cast<unsigned>(helper));
        if (++waiting == 10'000) Collect(waiting);
      }
    }
    Collect(waiting);
    return redis_->err == 0;
  }

  std::vector<std::pair<std::uint32_t, double>> Answer(const PeerQuery& query) override {
    std::vector<std::string> command = {"ZUNIONSTORE", "answer", std::to_string(query.size())};
    for (const auto& [term, weight] : query) command.push_back(std::to_string(term));
    command.emplace_back("WEIGHTS");
    for (const auto& [term, weight] : query) command.push_back(std::to_string(weight));
    std::vector<const char*> arguments;
    for (const std::string& part : command) arguments.push_back(part.c_str());
    freeReplyObject(redisCommandArgv(redis_.get(), static_cast<int>(arguments.size()), arguments.data(), nullptr));
    auto* reply =
        static_cast<redisReply*>(redisCommand(redis_.get(), "ZREVRANGE answer 0 %d WITHSCORES", kPeerTopK - 1));
    std::vector<std::pair<std::uint32_t, double>> best;
    for (std::size_t i = 0; reply != nullptr && i + 1 < reply->elements; i += 2)
      best.emplace_back(static_cast<std::uint32_t>(std::stoul(reply->element[i]->str)),
                        std::stod(reply->element[i + 1]->str));
    freeReplyObject(reply);
    return best;
  }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  void Collect(int& waiting) {
    for (; waiting > 0; --waiting) {
      void* reply = nullptr;
      if (redisGetReply(redis_.get(), &reply) == REDIS_OK) freeReplyObject(reply);
    }
  }

  ChildProcess server_;
  std::unique_ptr<redisContext, Free> redis_;
};

}  // namespace

std::unique_ptr<Peer> MakeRedisPeer() { return std::make_unique<RedisPeer>(); }

}  // namespace warmline::bench
