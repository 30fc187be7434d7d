// What a server still does when far more is asked of it than it can do: an open-loop generator on one processor, the
// server on another, from half of the peak load to ten times as much, and then half again.
//   bench_overload [--json] [--quick] [--helpers N] [--seconds N] [--seed S] [--cheap]
// Work: matches that count what each rule removed ("reads"), updates of members with as many interests as a member may
// have ("writes"), and both by turns ("mixed"). With --cheap, matches without counts and updates of ordinary members
// too: there, refusing ten times as much is more than a processor can do, and the ceiling 1 - offered * cost of a
// refusal is printed beside the goodput.
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "bench/open_loop.h"
#include "bench/options.h"
#include "codec/resources.h"

namespace warmline::bench {
namespace {

namespace pb = warmline::v1;

struct Options : CommonOptions {
  std::int64_t seconds = 10;  // of each load
  bool cheap = false;
};

constexpr int kServerProcessor = 0;
constexpr int kGeneratorProcessor = 1;
constexpr int kWrites = 500;  // members that are updated
constexpr int kMostInterests = 200;

bool PinTo(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

// A figure of /proc/<pid>/status in KiB.
double StatusKib(pid_t pid, const std::string& key) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::stod(line.substr(key.size() + 1));
  }
  return 0;
}

// User and system time of a process, in seconds.
double CpuSeconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string skipped;
  double user = 0;
  double system = 0;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  rest >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// Looks every tenth of a second how the server is: the standard health check, and its memory.
class Watcher {
 public:
  explicit Watcher(const testing::ServeProcess& server) : pid_(server.pid()), stub_(server.Connect()) {
    thread_ = std::thread([this] {
      while (!stop_) {
        Check();
        most_kib_ = std::max(most_kib_, StatusKib(pid_, "VmRSS"));
        absl::SleepFor(absl::Milliseconds(100));
      }
    });
  }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  ~Watcher() { Stop(); }
  [[nodiscard]] double most_kib() const { return most_kib_; }
  [[nodiscard]] double slowest_ms() const { return slowest_ms_; }
  [[nodiscard]] int failed() const { return failed_; }

 private:
  void Check() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    const grpc::Slice empty("", 0);
    const grpc::ByteBuffer request(&empty, 1);
    grpc::ByteBuffer reply;
    grpc::CompletionQueue queue;
    grpc::Status status;
    const absl::Time began = absl::Now();
    auto reader = stub_.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
    reader->StartCall();
    reader->Finish(&reply, &status, this);
    void* tag = nullptr;
    bool ok = false;
    (void)queue.Next(&tag, &ok);
    slowest_ms_ = std::max(slowest_ms_, absl::ToDoubleMilliseconds(absl::Now() - began));
    failed_ += status.ok() ? 0 : 1;
  }

  const pid_t pid_;
  grpc::GenericStub stub_;
  std::atomic<bool> stop_{false};
  double most_kib_ = 0;
  double slowest_ms_ = 0;
  int failed_ = 0;
  std::thread thread_;
};

struct Step {
  double load = 0;  // times the peak; 0 while the peak is looked for
  Outcome outcome;
  double rss_ratio = 0;
  double health_ms = 0;
  int health_failed = 0;
  double cpu_us_per_call = 0;
  double recovered_ms = -1;
};

void Print(const Options& options, const char* kind, Step& step, double peak, double ceiling) {
  Outcome& o = step.outcome;
  const double ratio = peak > 0 ? o.goodput_per_second / std::min(peak, step.load * peak) : 0;
  std::printf(
      options.json
          ? "{\"workload\":\"overload\",\"kind\":\"%s\",\"helpers\":%lld,\"seed\":%lld,\"load\":%.2f,\"offered_per_"
            "second\":"
            "%.0f,\"goodput_per_second\":%.0f,\"goodput_ratio\":%.3f,\"ceiling\":%.3f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
            "\"refused\":%zu,\"refused_p50_ms\":%.2f,\"refused_p99_ms\":%.2f,\"late\":%zu,\"other\":%zu,\"rss_ratio\":%"
            ".2f,"
            "\"health_max_ms\":%.1f,\"health_failed\":%d,\"cpu_us_per_call\":%.1f,\"recovered_ms\":%.0f,"
            "\"generator_lag_ms\":%.1f}\n"
          : "%-6s %lld helpers, seed %lld, load %5.2f: offered %.0f/s, goodput %.0f/s (ratio %.3f, ceiling %.3f), "
            "admitted "
            "p50 %.2f p99 %.2f ms, refused %zu (p50 %.2f p99 %.2f ms), late %zu, other %zu, rss x%.2f, health %.1f ms "
            "(%d "
            "failed), %.1f us a call, recovered %.0f ms, generator late by %.1f ms\n",
      kind, static_cast<long long>(options.helpers), static_cast<long long>(options.seed), step.load,
      o.offered_per_second, o.goodput_per_second, ratio, ceiling, o.admitted_us.Quantile(0.5) / 1e3,
      o.admitted_us.Quantile(0.99) / 1e3, o.refused_us.size(), o.refused_us.Quantile(0.5) / 1e3,
      o.refused_us.Quantile(0.99) / 1e3, o.late, o.other, step.rss_ratio, step.health_ms, step.health_failed,
      step.cpu_us_per_call, step.recovered_ms, o.generator_lag_ms);
  std::fflush(stdout);
}

class Bench {
 public:
  Bench(const Options& options, const testing::ServeProcess& server) : options_(options), server_(server) {}

  // From half of the peak to ten times as much, and half again. False when nothing is answered.
  bool Run(const char* kind, const std::vector<Target>& targets) {
    double capacity = 0;  // by callers who wait for their answers
    for (const Target& target : targets) {
      const double rate = Load(target, 8, 3).calls_per_second;
      capacity += 1 / rate / static_cast<double>(targets.size());
    }
    capacity = 1 / capacity;
    idle_kib_ = StatusKib(server_.pid(), "VmRSS");
    double peak = 0;
    for (const double load : {0.5, 0.7, 0.8, 0.9, 1.0, 1.1}) {
      Step step = Offer(targets, load * capacity);
      peak = std::max(peak, step.outcome.goodput_per_second);
      Print(options_, kind, step, 0, 0);
    }
    if (peak <= 0) return false;
    double refusal_us = 0;
    for (const double load : {0.5, 1.0, 2.0, 5.0, 10.0, 0.5}) {
      Step step = Offer(targets, load * peak);
      step.load = load;
      const auto refused = static_cast<double>(step.outcome.refused_us.size());
      // What all took, less what the answers took at the peak, over the refusals.
      if (load >= 10 && refused > 0) refusal_us = RefusalUs(step, peak);
      const double ceiling = 1 - std::max(0.0, load - 1) * peak * refusal_us / 1e6;
      if (load < 1) step.recovered_ms = RecoveredMs(step.outcome);
      Print(options_, kind, step, peak, ceiling);
    }
    return true;
  }

 private:
  Step Offer(const std::vector<Target>& targets, double per_second) {
    Watcher watcher(server_);
    const double cpu = CpuSeconds(server_.pid());
    Step step;
    step.outcome = RunOpenLoop(targets, {.per_second = per_second,
                                         .length = absl::Seconds(options_.seconds),
                                         .seed = static_cast<std::uint64_t>(options_.seed)});
    step.cpu_us_per_call = (CpuSeconds(server_.pid()) - cpu) * 1e6 /
                           std::max(1.0, step.outcome.offered_per_second * static_cast<double>(options_.seconds));
    watcher.Stop();
    step.rss_ratio = watcher.most_kib() / idle_kib_;
    step.health_ms = watcher.slowest_ms();
    step.health_failed = watcher.failed();
    return step;
  }

  [[nodiscard]] double RefusalUs(const Step& step, double peak) const {
    const double calls = step.outcome.offered_per_second;
    const double refused = calls - step.outcome.goodput_per_second;
    const double all_us = step.cpu_us_per_call * calls;
    return std::max(0.0, (all_us - step.outcome.goodput_per_second * 1e6 / peak)) / std::max(1.0, refused);
  }

  // From when on at least nine tenths of the calls of every window are answered in time.
  [[nodiscard]] static double RecoveredMs(const Outcome& outcome) {
    std::size_t from = outcome.windows.size();
    while (from > 0 && outcome.windows[from - 1].good >= 0.9 * outcome.windows[from - 1].sent) --from;
    return absl::ToDoubleMilliseconds(static_cast<double>(from) * kWindow);
  }

  const Options& options_;
  const testing::ServeProcess& server_;
  double idle_kib_ = 1;
};

Target Counted(const Target& matches) {
  Target counted = matches;
  for (grpc::ByteBuffer& buffer : counted.requests) {
    grpc::Slice slice;
    pb::MatchRequest request;
    if (!buffer.DumpToSingleSlice(&slice).ok() ||
        !request.ParseFromArray(slice.begin(), static_cast<int>(slice.size())))
      std::abort();
    request.set_count_rules(true);
    const grpc::Slice again(request.SerializeAsString());
    buffer = grpc::ByteBuffer(&again, 1);
  }
  return counted;
}

// Updates of members with so many interests, taken from other members where they have fewer.
Target Updates(const Target& matches, const simulation::Community& community, int interests) {
  Target target = matches;
  target.method = "/warmline.v1.MemberService/UpdateMember";
  target.requests.clear();
  for (int i = 0; i < kWrites; ++i) {
    pb::UpdateMemberRequest request;
    request.mutable_actor()->set_audience(pb::OPERATOR);
    *request.mutable_member() = codec::ToProto("bench", community.HelperAt(i));
    request.mutable_member()->clear_etag();
    std::set<std::string> known;
    for (const auto& interest : request.member().interests()) known.insert(interest.interest());
    for (int other = i + 1; request.member().interests_size() < interests; ++other) {
      const pb::Member message = codec::ToProto("bench", community.HelperAt(other));
      for (const auto& interest : message.interests()) {
        if (request.member().interests_size() < interests && known.insert(interest.interest()).second)
          *request.mutable_member()->add_interests() = interest;
      }
    }
    request.add_update_mask("interests");
    const grpc::Slice slice(request.SerializeAsString());
    target.requests.emplace_back(&slice, 1);
  }
  return target;
}

int Run(const Options& options, const std::string& directory) {
  const simulation::Community community({.helpers = options.helpers, .seed = static_cast<std::uint64_t>(options.seed)});
  if (!PinTo(kServerProcessor)) {
    std::fprintf(stderr, "bench_overload needs two processors\n");
    return 1;
  }
  testing::ServeProcess server(directory + "/data");  // it inherits the processor
  (void)PinTo(kGeneratorProcessor);
  if (!server.listens()) {
    std::fprintf(stderr, "bench_overload: warmline does not start: %s\n", server.log().c_str());
    return 1;
  }
  if (!Import(server, community, options.helpers)) return 1;
  const Target cheap = MatchTarget(server, community);
  const Target reads = Counted(cheap);
  const Target writes = Updates(cheap, community, kMostInterests);
  Bench bench(options, server);
  const bool answered =
      bench.Run("reads", {reads}) && bench.Run("writes", {writes}) && bench.Run("mixed", {reads, writes}) &&
      (!options.cheap ||
       (bench.Run("cheap_reads", {cheap}) && bench.Run("cheap_writes", {Updates(cheap, community, 0)})));
  if (!answered) std::fprintf(stderr, "bench_overload: nothing was answered in time\n");
  return answered ? 0 : 1;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  options.helpers = 100'000;
  warmline::bench::Flags flags(options);
  flags.Number("--seconds", &options.seconds);
  flags.Switch("--cheap", &options.cheap);
  if (!flags.Parse(argc, argv)) return 2;
  if (options.quick) {
    options.helpers = 20'000;
    options.seconds = 2;
  }
  setenv("WARMLINE_BUILD", std::filesystem::canonical(argv[0]).parent_path().parent_path().c_str(), 0);
  std::string directory = (std::filesystem::temp_directory_path() / "bench_overload_XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 1;
  const int result = warmline::bench::Run(options, directory);
  std::filesystem::remove_all(directory);
  return result;
}
