#include "server/server.h"

#include <absl/strings/str_cat.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "api/assignment_handlers.h"
#include "api/introduction_handlers.h"
#include "api/match_handlers.h"
#include "api/member_handlers.h"
#include "api/need_handlers.h"
#include "api/pool_handlers.h"
#include "application/clock.h"
#include "application/erasure_cleaner.h"
#include "application/feed_follower.h"
#include "application/follower.h"
#include "application/forget_interests.h"
#include "application/introduction_timer.h"
#include "application/market_board.h"
#include "application/market_meter.h"
#include "application/outbox.h"
#include "application/pool_registry.h"
#include "application/refresh_statistics.h"
#include "application/retention.h"
#include "application/snapshotter.h"
#include "application/write_queue.h"
#include "base/stop_signal.h"
#include "cache/file/snapshot_files.h"
#include "cache/redis/feed.h"
#include "cache/redis/replica_board.h"
#include "cache/redis/snapshots.h"
#include "console/operations_server.h"
#include "domain/error.h"
#include "server/address.h"
#include "server/config_error.h"
#include "server/grpc_port.h"
#include "server/identity.h"
#include "server/outlets.h"
#include "server/process_limits.h"
#include "server/records.h"
#include "server/redis_config.h"
#include "server/tls.h"
#include "server/tokens.h"
#include "server/watched_file.h"
#include "server/work_pools.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::server {
namespace {

// How often epochs and totals are looked at.
constexpr absl::Duration kMaintenance = absl::Seconds(1);
constexpr absl::Duration kMergeCheck = absl::Milliseconds(100);
// Statistics are counted anew at most this often, but at once for a pool that has none.
constexpr absl::Duration kMinTimeBetweenCounts = absl::Seconds(60);

}  // namespace

const char* Version() { return WARMLINE_VERSION; }

struct Server::State {
  State(const Config& c, application::Metrics* other)
      : config(c), prometheus(Version()), metrics(other == nullptr ? prometheus : *other) {}

  Config config;
  application::SystemClock clock;
  telemetry::PrometheusMetrics prometheus;
  application::Metrics& metrics;
  std::unique_ptr<Identity> identity;
  std::unique_ptr<application::AuditLog> audit;
  WatchedFile cert_file{config.ops_tls ? config.tls_cert_file : ""};
  WatchedFile key_file{config.ops_tls ? config.tls_key_file : ""};
  std::shared_ptr<grpc::ServerCredentials> credentials;
  std::unique_ptr<application::RecordStore> store;
  std::unique_ptr<application::SnapshotCache> snapshots;
  std::unique_ptr<application::ChangeFeed> feed;
  std::unique_ptr<application::FeedFollower> feed_follower;
  std::unique_ptr<application::PoolRegistry> pools;
  std::unique_ptr<application::Snapshotter> snapshotter;
  std::unique_ptr<application::WriteQueue> writes;
  std::unique_ptr<WorkPools> work;
  std::unique_ptr<application::Follower> follower;
  std::unique_ptr<application::IntroductionTimer> timer;
  std::unique_ptr<application::RetentionSweeper> retention;
  std::unique_ptr<application::ErasureCleaner> erasures;
  application::MarketBoard market_board;
  std::unique_ptr<application::MarketMeter> market;
  std::unique_ptr<application::ReplicaBoard> replica_board;
  std::unique_ptr<application::Replicas> replicas;
  std::unique_ptr<application::EventSink> event_sink;
  std::unique_ptr<application::Outbox> outbox;
  std::unique_ptr<api::Environment> environment;
  std::unique_ptr<api::PoolHandlers> pool_handlers;
  std::unique_ptr<api::MemberHandlers> member_handlers;
  std::unique_ptr<api::NeedHandlers> need_handlers;
  std::unique_ptr<api::MatchHandlers> match_handlers;
  std::unique_ptr<api::IntroductionHandlers> introduction_handlers;
  std::unique_ptr<api::AssignmentHandlers> assignment_handlers;
  std::unique_ptr<GrpcPort> grpc_port;
  std::unique_ptr<console::OperationsServer> operations;
  std::atomic<bool> started{false};
  std::atomic<bool> draining{false};
  std::atomic<bool> drained{false};
  base::StopSignal stop_maintenance;
  std::thread maintenance;
  std::thread merging;

  // Empty when calls may come, or why not.
  [[nodiscard]] std::string NotReady() const;
  absl::Status StartOperations();
  absl::Status OpenStore();
  absl::Status StartOutbox();
  absl::Status StartGrpc();
  void Maintain();
  void MergeSegments();
  void RefreshStatistics();
  void ReloadCertificate();
  void ReportWork();
  // When the statistics of a pool were last counted anew by this process.
  std::map<std::string, absl::Time> counted;
};

std::string Server::State::NotReady() const {
  if (draining) return "draining";
  if (!started) return "loading the pools";
  const absl::Duration staleness = pools->MaxStaleness();
  if (staleness <= config.max_staleness) return "";
  return absl::StrCat("a pool has not seen the store for ",
                      absl::FormatDuration(absl::Trunc(staleness, absl::Seconds(1))));
}

absl::Status Server::State::StartOperations() {
  auto address = SplitHostPort(config.ops_listen, "ops-listen");
  if (!address.ok()) return address.status();
  console::OperationsHooks hooks;
  hooks.metrics = [this] { return prometheus.Text(); };
  hooks.started = [this] { return started.load(); };
  hooks.not_ready = [this] { return NotReady(); };
  // The port is made after this: no probe may see it half made.
  hooks.stuck = [this] { return started && grpc_port->Stuck(); };
  hooks.held = [this](const char* port, std::int64_t open) { metrics.ConnectionsHeld(port, open, 0); };
  hooks.refused = [this](const char* port, const char* reason) { metrics.ConnectionRefused(port, reason); };
  console::OperationsOptions options;
  options.console = config.console;
  if (config.ops_tls) {
    options.cert_file = config.tls_cert_file;
    options.key_file = config.tls_key_file;
  }
  operations = std::make_unique<console::OperationsServer>(std::move(hooks), std::move(options));
  return operations->Start(address->first, address->second);
}

absl::Status Server::State::OpenStore() {
  std::error_code error;
  std::filesystem::create_directories(config.data_dir, error);
  if (error) {
    return Invalid("data-dir", absl::StrCat("cannot make ", config.data_dir, " (", error.message(),
                                            "): name a directory that you may write"));
  }
  auto made = Identity::Make(config);
  if (!made.ok()) return made.status();
  identity = *std::move(made);
  auto log = OpenAudit(config, metrics);
  if (!log.ok()) return log.status();
  audit = *std::move(log);
  if (auto opened = OpenRecords(config); opened.ok()) {
    store = *std::move(opened);
  } else {
    return opened.status();
  }
  if (config.postgres.empty())
    snapshots = std::make_unique<cache::file::SnapshotFiles>(config.data_dir + "/snapshots", clock, metrics);
  if (!config.redis.empty()) {
    if (config.postgres.empty()) {
      return Invalid("redis", "is for the cluster profile: give --postgres too, or leave it out");
    }
    auto redis = RedisConfig(config);
    if (!redis.ok()) return redis.status();
    snapshots = std::make_unique<cache::redis::Snapshots>(*redis, clock, metrics);
    feed = std::make_unique<cache::redis::Feed>(*redis, store->history(), clock, metrics);
    replica_board = std::make_unique<cache::redis::ReplicaBoard>(*redis, store->history(), clock, metrics);
  }
  pools = std::make_unique<application::PoolRegistry>(*store, clock, metrics, config.max_staleness, snapshots.get());
  const absl::Time began = clock.Now();
  if (auto status = pools->Load(); !status.ok()) return status;
  spdlog::info("loaded {} pools in {} ms", pools->PoolIds().size(), absl::ToInt64Milliseconds(clock.Now() - began));
  writes = std::make_unique<application::WriteQueue>(
      *store, clock, metrics,
      [this](application::WriteQueue::Committed committed) {
        if (feed != nullptr) feed->Publish(std::move(committed.log_rows));
        pools->Apply(committed.changes);
      },
      application::WriteQueue::Limits{.max_waiting = static_cast<std::size_t>(config.max_waiting_writes)},
      [this](application::WriteTransaction& tx) { return application::ForgetInterestsOfErased(tx, *pools); });
  work = std::make_unique<WorkPools>(config.match_threads, config.read_threads, metrics);
  follower = std::make_unique<application::Follower>(*store, *pools, clock, metrics, config.poll_interval);
  timer = std::make_unique<application::IntroductionTimer>(*store, *writes, clock, metrics);
  retention = std::make_unique<application::RetentionSweeper>(*store, *writes, clock, metrics);
  erasures = std::make_unique<application::ErasureCleaner>(*store, *pools, *writes, snapshots.get(), clock, metrics);
  market = std::make_unique<application::MarketMeter>(*store, market_board, clock, metrics, config.market_interval);
  if (auto status = StartOutbox(); !status.ok()) return status;
  if (feed != nullptr) feed_follower = std::make_unique<application::FeedFollower>(*feed, *store, *pools, metrics);
  if (snapshots != nullptr) {
    snapshotter = std::make_unique<application::Snapshotter>(
        *snapshots, *pools, *store, clock, metrics,
        application::SnapshotSchedule{.interval = config.snapshot_interval, .save_at_end = config.postgres.empty()});
  }
  return absl::OkStatus();
}

absl::Status Server::State::StartOutbox() {
  auto sink = MakeEventSink(config, domain::RevisionTokens(store->token_key(), store->history()), clock);
  if (!sink.ok()) return sink.status();
  if (*sink == nullptr) return absl::OkStatus();
  event_sink = *std::move(sink);
  // An embedded store has one process at a time, which goes on at once where the last one was killed.
  const std::string holder =
      config.postgres.empty() ? "embedded" : absl::StrCat(getpid(), "-", absl::ToUnixMicros(absl::Now()));
  outbox = std::make_unique<application::Outbox>(*store, *pools, *writes, *event_sink, clock, metrics, holder);
  return absl::OkStatus();
}

absl::Status Server::State::StartGrpc() {
  environment.reset(new api::Environment{*store,
                                         *pools,
                                         *writes,
                                         *follower,
                                         work->matching(),
                                         work->reads(),
                                         work->long_work(),
                                         identity->tokens(),
                                         clock,
                                         metrics,
                                         market_board,
                                         base::TokenSealer(store->token_key()),
                                         api::CandidateTokens(store->token_key()),
                                         domain::RevisionTokens(store->token_key(), store->history()),
                                         {.places = {.max_in_flight = config.max_in_flight,
                                                     .max_watches = config.max_watches,
                                                     .max_in_flight_per_token = config.max_in_flight_per_token,
                                                     .max_watches_per_token = config.max_watches_per_token}}});
  replicas = std::make_unique<application::Replicas>(
      replica_board.get(), *pools, clock,
      application::ReplicaSelf{Version(), [this] { return NotReady(); },
                               [this] { return std::int64_t{environment->occupancy.calls.load()}; }});
  environment->replicas = replicas.get();
  environment->verifier = identity->verifier();
  environment->audit = audit.get();
  environment->erasures = erasures.get();
  pool_handlers = std::make_unique<api::PoolHandlers>(*environment);
  member_handlers = std::make_unique<api::MemberHandlers>(*environment);
  need_handlers = std::make_unique<api::NeedHandlers>(*environment);
  match_handlers = std::make_unique<api::MatchHandlers>(*environment);
  introduction_handlers = std::make_unique<api::IntroductionHandlers>(*environment);
  assignment_handlers = std::make_unique<api::AssignmentHandlers>(*environment);

  auto listening = GrpcPort::Listen(config, credentials,
                                    {pool_handlers.get(), member_handlers.get(), need_handlers.get(),
                                     match_handlers.get(), introduction_handlers.get(), assignment_handlers.get()},
                                    metrics);
  if (!listening.ok()) return listening.status();
  grpc_port = *std::move(listening);
  if (config.tls_cert_file.empty() && !IsLoopback(config.listen))
    spdlog::warn("tokens travel in the clear on {}: give --tls-cert-file, or keep it in a network of its own",
                 config.listen);
  operations->ServeApi(grpc_port->InProcessChannel());
  return absl::OkStatus();
}

// Members who come one by one make no new statistics, as an import does: this keeps rarity and circles true all the
// same.
void Server::State::RefreshStatistics() {
  for (const std::string& id : pools->PoolsToCount()) {
    const auto last = counted.find(id);
    if (last != counted.end() && clock.Now() - last->second < kMinTimeBetweenCounts) continue;
    counted[id] = clock.Now();
    application::WriteJob job;
    job.pool = id;
    const std::int64_t known = pools->StatisticsGeneration(id);
    job.run = [this, id, known](application::WriteTransaction& tx, absl::Time) -> absl::Status {
      auto newest = tx.NewestGeneration(id);
      if (!newest.ok()) return newest.status();
      if (*newest > known) return absl::OkStatus();  // another replica counted meanwhile
      return application::RefreshStatistics(tx, *pools, id).status();
    };
    job.done = [id](const absl::Status& status) {
      if (!status.ok())
        spdlog::warn("statistics of pools/{} were not refreshed: {}", id, std::string(status.message()));
    };
    if (auto status = writes->Submit(std::move(job)); !status.ok()) counted.erase(id);  // tried again in a second
  }
}

void Server::State::ReloadCertificate() {
  const bool cert_changed = cert_file.Changed();
  const bool key_changed = key_file.Changed();
  if (!cert_changed && !key_changed) return;
  // One of the two may come later than the other: then both are looked at again.
  if (const auto status = operations->UseCertificate(); !status.ok())
    spdlog::warn("the operations port keeps its certificate: {}", std::string(status.message()));
}

void Server::State::ReportWork() {
  work->Report(*writes);
  const bool served = !draining && WritesServed(*writes, pools->MaxStaleness(), config.poll_interval);
  metrics.WritesServed(served);
  grpc_port->SetWritesServing(served);
}

void Server::State::Maintain() {
  do {
    identity->Reload();
    ReloadCertificate();
    pools->Maintain();
    RefreshStatistics();
    application::PoolTotals totals = pools->Totals();
    totals.store_cache_bytes = store->cache_bytes();
    metrics.PoolsHeld(totals);
    ReportWork();
  } while (!stop_maintenance.IsSetWithin(kMaintenance));
}

void Server::State::MergeSegments() {
  do {
    if (const auto merge = pools->MergeSegments()) metrics.SegmentsMerged(merge->took, merge->pause);
    (void)pools->SweepDictionaries();
  } while (!stop_maintenance.IsSetWithin(kMergeCheck));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, application::Metrics* metrics) {
  std::unique_ptr<Server> server(new Server(std::make_unique<State>(config, metrics)));
  State& state = *server->state_;
  if (auto address = SplitHostPort(config.listen, "listen"); !address.ok()) return address.status();
  SwitchOffDeadlockDetector();
  if (auto status = PrepareDescriptors(state.config.transport); !status.ok()) return status;
  if (auto status = CheckMemory(state.config); !status.ok()) return status;
  // Before the pools are loaded, which may take minutes.
  auto credentials = ServerCredentialsOf(config);
  if (!credentials.ok()) return credentials.status();
  state.credentials = *std::move(credentials);
  if (auto status = state.StartOperations(); !status.ok()) return status;
  if (auto status = state.OpenStore(); !status.ok()) return status;
  if (auto status = state.StartGrpc(); !status.ok()) return status;
  state.maintenance = std::thread([&state] { state.Maintain(); });
  state.merging = std::thread([&state] { state.MergeSegments(); });
  state.started = true;
  state.replicas->Begin(ReplicaName(state.grpc_port->port()));
  return server;
}

Server::~Server() { Drain(); }

int Server::port() const { return state_->grpc_port->port(); }
int Server::ops_port() const { return state_->operations->port(); }

void Server::BeginDrain() {
  State& state = *state_;
  if (state.draining.exchange(true)) return;
  if (state.environment != nullptr) state.environment->draining = true;
  if (state.grpc_port != nullptr) state.grpc_port->SetServing(false);
}

void Server::Drain() {
  State& state = *state_;
  BeginDrain();
  if (state.drained.exchange(true)) return;
  if (state.grpc_port != nullptr) state.grpc_port->Shutdown(absl::Now() + state.config.drain_timeout);
  if (state.timer != nullptr) state.timer->Stop();
  if (state.retention != nullptr) state.retention->Stop();
  if (state.erasures != nullptr) state.erasures->Stop();
  if (state.market != nullptr) state.market->Stop();
  if (state.replicas != nullptr) state.replicas->Stop();
  if (state.outbox != nullptr) state.outbox->Stop();
  if (state.work != nullptr) {
    state.work->matching().Stop();
    state.work->long_work().Stop();
  }
  if (state.writes != nullptr) state.writes->Stop();
  if (state.follower != nullptr) state.follower->Stop();
  if (state.feed_follower != nullptr) state.feed_follower->Stop();
  if (state.snapshotter != nullptr) state.snapshotter->Stop();
  if (state.work != nullptr) state.work->reads().Stop();
  state.stop_maintenance.Set();
  if (state.maintenance.joinable()) state.maintenance.join();
  if (state.merging.joinable()) state.merging.join();
  if (state.operations != nullptr) state.operations->Stop();
}

}  // namespace warmline::server
