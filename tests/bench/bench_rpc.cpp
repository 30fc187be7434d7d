// Match over gRPC beside a call that does nothing and returns as many bytes: one client thread and a server process
// each, on the same machine, by turns.
//   bench_rpc [--json] [--quick] [--helpers N] [--seconds N] [--seed S] [--no-h2load] [--metrics-rounds N]
// And the same server with metrics and without, by turns.
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <regex>
#include <thread>

#include "bench/noop.grpc.pb.h"
#include "bench/options.h"
#include "bench/rpc_load.h"
#include "bench/rpc_metrics.h"
#include "bench/timings.h"
#include "simulation/community.h"
#include "support/process.h"

namespace warmline::bench {
namespace {

namespace pb = warmline::v1;

struct Options : CommonOptions {
  bool no_h2load = false;
  std::int64_t metrics_rounds = 60;
  std::int64_t seconds = 4;
};

constexpr double kMetricsSlice = 0.5;  // seconds for which each server is called in a round
constexpr int kRounds = 3;             // of every measurement, by turns

class NoopService : public Noop::CallbackService {
 public:
  explicit NoopService(std::size_t bytes) : payload_(bytes, 'x') {}
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context, const NoopMessage*,
                                 NoopMessage* reply) override {
    reply->set_payload(payload_);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  std::string payload_;
};

// The no-op server, in a process of its own as Warmline's is. Forked before any gRPC exists in this one.
class NoopProcess {
 public:
  NoopProcess() {
    std::array<int, 2> down{};
    std::array<int, 2> up{};
    if (pipe(down.data()) != 0 || pipe(up.data()) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      std::size_t bytes = 0;  // comes once it is known
      if (read(down[0], &bytes, sizeof bytes) != sizeof bytes) _exit(0);
      NoopService service(bytes);
      int port = 0;
      grpc::ServerBuilder builder;
      builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
      builder.RegisterService(&service);
      const auto server = builder.BuildAndStart();
      if (write(up[1], &port, sizeof port) != sizeof port) _exit(1);
      server->Wait();
      _exit(0);
    }
    down_ = down[1];
    up_ = up[0];
  }
  ~NoopProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  NoopProcess(const NoopProcess&) = delete;
  NoopProcess& operator=(const NoopProcess&) = delete;

  // The port; replies have so many bytes.
  int Start(std::size_t bytes) {
    int port = 0;
    if (write(down_, &bytes, sizeof bytes) != sizeof bytes || read(up_, &port, sizeof port) != sizeof port)
      std::abort();
    return port;
  }

 private:
  pid_t pid_ = -1;
  int down_ = -1;
  int up_ = -1;
};

void Print(const Options& options, const std::string& tool, int in_flight, double noop, double match, double noop_p99,
           double match_p99, double match_p50, double reply_bytes) {
  std::printf(
      options.json
          ? "{\"workload\":\"rpc\",\"tool\":\"%s\",\"helpers\":%lld,\"seed\":%lld,\"in_flight\":%d,\"noop_per_second\":"
            "%.0f,\"match_per_second\":%.0f,\"ratio_to_noop\":%.3f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
            "\"p99_ratio_to_noop\":%.2f,\"reply_bytes\":%.0f}\n"
          : "%-8s %lld helpers, seed %lld, %2d in flight: no-op %.0f/s, match %.0f/s, ratio %.3f, p50 %.0f us, p99 "
            "%.0f "
            "us (%.2f of no-op's), reply of %.0f bytes\n",
      tool.c_str(), static_cast<long long>(options.helpers), static_cast<long long>(options.seed), in_flight, noop,
      match, match / noop, match_p50, match_p99, match_p99 / noop_p99, reply_bytes);
  std::fflush(stdout);
}

// Requests a second by h2load, an independent client: one request, over and over.
std::optional<double> H2Load(const Target& target, int in_flight, double seconds, const std::string& directory) {
  std::vector<grpc::Slice> slices;
  (void)target.requests.front().Dump(&slices);
  std::string body;
  for (const grpc::Slice& slice : slices) body.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  const auto size = static_cast<std::uint32_t>(body.size());
  const std::string path = directory + "/request";
  {
    std::ofstream file(path, std::ios::binary);
    file.put(0);  // not compressed
    for (int shift = 24; shift >= 0; shift -= 8) file.put(static_cast<char>(size >> shift & 0xff));
    file << body;
  }
  const std::string command = "h2load -t1 -c1 -m" + std::to_string(in_flight) + " -D" +
                              std::to_string(static_cast<int>(seconds)) +
                              " -H 'content-type: application/grpc' -H 'te: trailers' -H 'authorization: Bearer " +
                              target.token + "' -d " + path + " http://" + target.address + target.method + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), n);
  pclose(pipe);
  std::smatch found;
  static const std::regex kRate("finished in [^,]*, ([0-9.]+) req/s");
  static const std::regex kFailed(" ([0-9]+) failed, ([0-9]+) errored");
  if (!std::regex_search(output, found, kRate)) return std::nullopt;
  const double rate = std::stod(found[1]);
  if (!std::regex_search(output, found, kFailed) || found[1] != "0") return std::nullopt;
  return rate;
}

int RunH2Load(const Options& options, const Target& noop, const Target& match, const std::string& directory) {
  for (const int in_flight : {1, 16, 64}) {
    const auto a = H2Load(noop, in_flight, 3, directory);
    const auto b = H2Load(match, in_flight, 3, directory);
    if (!a || !b) {
      std::fprintf(stderr, "bench_rpc: h2load gave no rate: is it installed (scripts/packages.txt)?\n");
      return 1;
    }
    std::printf(
        options.json ? "{\"workload\":\"rpc\",\"tool\":\"h2load\",\"helpers\":%lld,\"seed\":%lld,\"in_flight\":"
                       "%d,\"noop_per_second\":%.0f,\"match_per_second\":%.0f,\"ratio_to_noop\":%.3f}\n"
                     : "h2load   %lld helpers, seed %lld, %2d in flight: no-op %.0f/s, match %.0f/s, ratio %.3f\n",
        static_cast<long long>(options.helpers), static_cast<long long>(options.seed), in_flight, *a, *b, *b / *a);
    std::fflush(stdout);
  }
  return 0;
}

// What metrics cost a call: the same server with them and without, by turns.
void PrintMetrics(const Options& options, const MetricsCost& cost) {
  std::printf(
      options.json ? "{\"workload\":\"rpc_metrics\",\"helpers\":%lld,\"seed\":%lld,\"in_flight\":%d,\"rounds\":%d,"
                     "\"on_per_second\":%.0f,\"off_per_second\":%.0f,\"ratio_on_to_off\":%.4f,\"ratio_on_to_on\":%.4f,"
                     "\"spread\":%.4f,\"metrics_ns_per_call\":%.0f}\n"
                   : "metrics  %lld helpers, seed %lld, %2d in flight, %d rounds: on %.0f/s, off %.0f/s, ratio %.4f "
                     "(on to on %.4f; half of the rounds within %.4f); %.0f ns a call, of itself\n",
      static_cast<long long>(options.helpers), static_cast<long long>(options.seed), kMetricsInFlight, cost.rounds,
      cost.on_per_second, cost.off_per_second, cost.ratio, cost.ratio_on_to_on, cost.spread, cost.ns_per_call);
  std::fflush(stdout);
}

int Run(const Options& options, NoopProcess& noop_process, const std::string& directory) {
  const simulation::Community community({.helpers = options.helpers, .seed = static_cast<std::uint64_t>(options.seed)});
  testing::ServeProcess server(directory + "/data");
  if (!server.listens()) {
    std::fprintf(stderr, "bench_rpc: warmline does not start: %s\n", server.log().c_str());
    return 1;
  }
  if (!Import(server, community, options.helpers)) return 1;
  const Target match = MatchTarget(server, community);
  const Result warm_up = Load(match, 16, 2);
  if (warm_up.failed > 0) {
    std::fprintf(stderr, "bench_rpc: %zu matches failed\n", warm_up.failed);
    return 1;
  }
  Target noop;
  noop.address = "127.0.0.1:" + std::to_string(noop_process.Start(static_cast<std::size_t>(warm_up.reply_bytes)));
  noop.method = "/warmline.bench.Noop/Call";
  noop.requests = match.requests;
  (void)Load(noop, 16, 1);
  for (const int in_flight : {1, 16, 64}) {
    double noop_rate = 0;
    double match_rate = 0;
    Timings noop_latency;
    Result last;
    std::array<double, 3> p{};
    for (int round = 0; round < kRounds; ++round) {
      Result a = Load(noop, in_flight, static_cast<double>(options.seconds) / kRounds);
      Result b = Load(match, in_flight, static_cast<double>(options.seconds) / kRounds);
      noop_rate += a.calls_per_second / kRounds;
      match_rate += b.calls_per_second / kRounds;
      p[0] += a.latency.Quantile(0.99) / kRounds;
      p[1] += b.latency.Quantile(0.99) / kRounds;
      p[2] += b.latency.Quantile(0.5) / kRounds;
      if (a.failed + b.failed > 0) std::fprintf(stderr, "bench_rpc: %zu calls failed\n", a.failed + b.failed);
    }
    Print(options, "grpc", in_flight, noop_rate, match_rate, p[0], p[1], p[2], warm_up.reply_bytes);
  }
  if (!options.no_h2load && RunH2Load(options, noop, match, directory) != 0) return 1;
  if (options.metrics_rounds > 0) {
    server.Signal(SIGINT);
    (void)server.WaitForEnd();
    const auto cost =
        MeasureMetrics(directory + "/data", community, static_cast<int>(options.metrics_rounds), kMetricsSlice);
    if (!cost) return 1;
    PrintMetrics(options, *cost);
  }
  return 0;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  warmline::bench::Flags flags(options);
  flags.Switch("--no-h2load", &options.no_h2load);
  flags.Number("--seconds", &options.seconds);
  flags.Number("--metrics-rounds", &options.metrics_rounds);
  if (!flags.Parse(argc, argv)) return 2;
  if (options.quick) {
    options.helpers = 50'000;
    options.seconds = 2;
    options.metrics_rounds = std::min<std::int64_t>(options.metrics_rounds, 12);
  }
  setenv("WARMLINE_BUILD", std::filesystem::canonical(argv[0]).parent_path().parent_path().c_str(), 0);
  warmline::bench::NoopProcess noop;
  std::string directory = (std::filesystem::temp_directory_path() / "bench_rpc_XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 1;
  const int result = warmline::bench::Run(options, noop, directory);
  std::filesystem::remove_all(directory);
  return result;
}
