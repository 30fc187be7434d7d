// How much memory a server keeps of what is over: it lets members live and be erased, as many living all the time, and
// says by how much each figure of memory grows with a thousand of them, after a warm-up. Further workloads do one thing
// of a life each, so that they say which accounts for how much; and other things that are done again and again. A whole
// server, in this process, for each.
//   bench_churn [--json] [--quick] [--workload N] [--lives N] [--minutes N] [--living N] [--threads N]
// With --minutes a workload lasts so long instead of --lives; --workload picks one by its place (LivesOfMembers, then
// OtherHabits; bench/churn_workloads.h).
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <malloc.h>

#include <cstdio>
#include <thread>

#include "base/rcu.h"
#include "bench/churn_workloads.h"
#include "bench/options.h"
#include "support/memory_probe.h"

namespace warmline::bench {
namespace {

struct Options : CommonOptions {
  std::int64_t workload = 0;  // 0: all
  std::int64_t lives = 20'000;
  std::int64_t minutes = 0;
  std::int64_t living = 320;
  std::int64_t threads = 8;
};

constexpr int kPoints = 20;

testing::MemoryPoint Measure(testing::TestServer& server, std::int64_t lives) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1'200));  // merges and the totals of the metrics
  base::RcuSynchronize();
  return {lives, testing::ReadMemory(server.Page("/metrics"))};
}

void Print(const Options& options, const char* workload, const std::vector<testing::MemoryPoint>& points,
           double seconds) {
  const auto growth = testing::GrowthPerThousand(points);
  if (!options.json) std::printf("%s: %lld cycles\n", workload, static_cast<long long>(points.back().cycles));
  std::string line = absl::StrCat("{\"workload\":\"", workload, "\",\"cycles\":", points.back().cycles,
                                  ",\"living\":", options.living, ",\"seconds\":", seconds);
  for (const auto& [name, slope] : growth) {
    const double last = points.back().figures.at(name);
    if (!options.json) std::printf("  %-60s %14.0f  %+12.1f a thousand\n", name.c_str(), last, slope);
    std::string key = name;
    for (char& c : key) {
      if (c == '"' || c == '{' || c == '}' || c == '=' || c == ',') c = '_';
    }
    absl::StrAppend(&line, ",\"", key, "\":", last, ",\"", key, "_per_1000\":", slope);
  }
  if (options.json) std::printf("%s}\n", line.c_str());
  std::fflush(stdout);
}

bool Run(const Options& options, const Workload& workload) {
  testing::TestServer server(workload.adjust);
  server.CreatePool();
  const auto habit =
      workload.make(server, {.living = static_cast<int>(options.living), .threads = static_cast<int>(options.threads)});
  const auto all = static_cast<std::int64_t>(static_cast<double>(options.lives) * workload.share);
  const std::int64_t step = std::max<std::int64_t>(1, all / kPoints);
  const absl::Time began = absl::Now();
  const absl::Duration lasts = absl::Minutes(options.minutes);
  std::int64_t done = 0;
  const auto run = [&](std::int64_t times) {
    habit->Run(times);
    done += times;
  };
  std::vector<testing::MemoryPoint> points;
  // The first quarter warms up.
  if (options.minutes == 0) {
    run(all / 4);
    for (int i = 0; i < kPoints * 3 / 4; ++i) {
      run(step);
      points.push_back(Measure(server, done));
    }
  } else {
    while (absl::Now() - began < lasts / 4) run(100);
    for (int i = 1; i <= kPoints; ++i) {
      while (absl::Now() - began < lasts / 4 + lasts * 3 / 4 * i / kPoints) run(100);
      points.push_back(Measure(server, done));
    }
  }
  Print(options, workload.name, points, absl::ToDoubleSeconds(absl::Now() - began));
  if (habit->failures() > 0)
    std::fprintf(stderr, "bench_churn: %lld calls of %s failed, the first: %s\n",
                 static_cast<long long>(habit->failures()), workload.name, habit->first_failure().c_str());
  return habit->failures() == 0;
}

int Main(int argc, char** argv) {
  Options options;
  Flags flags(options);
  flags.Number("--workload", &options.workload);
  flags.Number("--lives", &options.lives);
  flags.Number("--minutes", &options.minutes);
  flags.Number("--living", &options.living);
  flags.Number("--threads", &options.threads);
  if (!flags.Parse(argc, argv)) return 2;
  if (options.quick) options.lives = std::min<std::int64_t>(options.lives, 2'000);
  std::vector<Workload> all = LivesOfMembers();
  for (Workload& habit : OtherHabits()) all.push_back(std::move(habit));
  bool good = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (options.workload == 0 || options.workload == static_cast<std::int64_t>(i) + 1)
      good = Run(options, all[i]) && good;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) { return warmline::bench::Main(argc, argv); }
