// The server as `warmline serve` starts it, and with --silent one that counts nothing: what bench_rpc compares.
//   bench_rpc_server serve --data-dir D --listen H:P --ops-listen H:P [--silent]
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <string>

#include "server/server.h"

namespace {

class Silence : public warmline::application::Metrics {
 public:
  void CallEnded(const char*, const char*, absl::Duration) override {}
  void WorkRefused(const char*, const char*) override {}
  void QueueSeen(const char*, const char*, std::int64_t, absl::Duration) override {}
  void WritesServed(bool) override {}
  void ErasuresCleaned(bool, std::int64_t) override {}
  void ConnectionsHeld(const char*, std::int64_t, std::int64_t) override {}
  void ConnectionRefused(const char*, const char*) override {}
  void CallFailed(const char*, const std::string&) override {}
  void Audited(bool) override {}
  void Matched(std::int64_t, std::int64_t, std::int64_t, absl::Duration) override {}
  void BatchCommitted(std::int64_t, bool, absl::Duration) override {}
  void WritesWaiting(std::int64_t) override {}
  void RowsImported(std::int64_t, std::int64_t) override {}
  void SegmentsMerged(absl::Duration, absl::Duration) override {}
  void StorePolled(bool, absl::Duration) override {}
  void ChangesFollowed(std::int64_t, bool) override {}
  void FeedGap() override {}
  void FeedDropped(std::int64_t) override {}
  void CacheReachable(const char*, bool) override {}
  void CatchUpFailed() override {}
  void DueMoveMade(bool) override {}
  void EventsSent(bool) override {}
  void RetentionDone(std::int64_t, std::int64_t, std::int64_t) override {}
  void SnapshotDamaged(const char*, const char*) override {}
  void SnapshotLoaded(const char*, bool, absl::Duration) override {}
  void SnapshotWritten(const char*, bool, absl::Duration) override {}
  void SnapshotSaved(const char*, std::int64_t, std::int64_t) override {}
  void SnapshotPurgesPending(std::int64_t) override {}
  void IndexBuilt(bool, absl::Duration) override {}
  void PoolsHeld(const warmline::application::PoolTotals&) override {}
  void MarketMeasured(const std::string&, const warmline::application::MarketHealth&, absl::Time) override {}
  void MarketsMeasured(const std::vector<std::string>&, std::int64_t) override {}
};

}  // namespace

int main(int argc, char** argv) {
  warmline::server::Config config;
  bool silent = false;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--silent") silent = true;
    if (flag == "--data-dir" && i + 1 < argc) config.data_dir = argv[++i];
    if (flag == "--listen" && i + 1 < argc) config.listen = argv[++i];
    if (flag == "--ops-listen" && i + 1 < argc) config.ops_listen = argv[++i];
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("warmline", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  Silence silence;
  auto server = warmline::server::Server::Start(config, silent ? &silence : nullptr);
  if (!server.ok()) {
    std::cerr << std::string(server.status().message()) << "\n";
    return 1;
  }
  spdlog::info("listens on port {} (gRPC)", (*server)->port());
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->Drain();
  return 0;
}
