// Queries beside writes: one thread matches while another applies batches of changed helpers at a given rate, and a
// third runs the merges that fall due. The same needs are matched before, with nothing else under way.
//   bench_updates [--json] [--quick] [--helpers N] [--seconds N] [--rate N] [--seed S]
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/rcu.h"
#include "bench/community_index.h"
#include "bench/options.h"
#include "bench/timings.h"

namespace warmline::bench {
namespace {

struct Options : CommonOptions {
  std::int64_t seconds = 20;
  std::int64_t rate = 10'000;
};

constexpr std::int64_t kBatchesPerSecond = 100;

Timings Query(const index::PoolIndex& index, const std::vector<domain::Need>& needs, double seconds) {
  Timings timings;
  const std::int64_t began = absl::GetCurrentTimeNanos();
  for (std::size_t i = 0; MicrosecondsSince(began) < seconds * 1e6; ++i) {
    const base::RcuReadGuard guard;
    const std::int64_t asked = absl::GetCurrentTimeNanos();
    (void)Answer(index.view(), needs[i % needs.size()]);
    timings.Add(MicrosecondsSince(asked));
  }
  return timings;
}

// The writer and the merger, who share the index by turns as the server's do.
class Writing {
 public:
  Writing(index::PoolIndex& index, const simulation::Community& community, const Options& options)
      : index_(index), community_(community), options_(options) {}

  void Write() {
    const std::int64_t size = std::max<std::int64_t>(1, options_.rate / kBatchesPerSecond);
    const std::int64_t began = absl::GetCurrentTimeNanos();
    std::uint64_t state = 88172645463325252ULL;
    for (std::int64_t batch = 0; !stop_; ++batch) {
      std::vector<domain::Change> changes;
      for (std::int64_t i = 0; i < size; ++i) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;  // xorshift (Marsaglia 2003)
        const auto number = static_cast<std::int64_t>(state % static_cast<std::uint64_t>(options_.helpers));
        domain::Member member = community_.HelperAt(number);
        member.load.open_asks = static_cast<std::int32_t>(state >> 32 & 1);
        changes.push_back({batch * size + i + 3, std::move(member)});
      }
      const std::int64_t due = began + batch * (1'000'000'000 / kBatchesPerSecond);
      if (const std::int64_t early = due - absl::GetCurrentTimeNanos(); early > 0)
        std::this_thread::sleep_for(std::chrono::nanoseconds(early));
      const std::lock_guard lock(mutex_);
      const std::int64_t applied = absl::GetCurrentTimeNanos();
      index_.Apply(changes);
      batches.Add(MicrosecondsSince(applied));
      updates += size;
    }
  }

  void Merge() {
    while (!stop_) {
      std::unique_ptr<index::MergeTask> task;
      double pause = 0;
      {
        const std::lock_guard lock(mutex_);
        const std::int64_t began = absl::GetCurrentTimeNanos();
        task = index_.StartMerge();
        pause = MicrosecondsSince(began);
      }
      if (task == nullptr) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        continue;
      }
      const std::int64_t ran = absl::GetCurrentTimeNanos();
      task->Run();
      merges.Add(MicrosecondsSince(ran));
      {
        const std::lock_guard lock(mutex_);
        const std::int64_t began = absl::GetCurrentTimeNanos();
        index_.FinishMerge(*task);
        pause += MicrosecondsSince(began);
      }
      pauses.Add(pause);
      base::RcuSynchronize();
    }
  }
  void Stop() { stop_ = true; }

  Timings batches;
  Timings merges;
  Timings pauses;
  std::int64_t updates = 0;

 private:
  index::PoolIndex& index_;
  const simulation::Community& community_;
  const Options& options_;
  std::mutex mutex_;
  std::atomic<bool> stop_{false};
};

int Run(const Options& options) {
  const simulation::Community community({.helpers = options.helpers, .seed = static_cast<std::uint64_t>(options.seed)});
  const auto index = MakeIndex(community, options.helpers);
  index->LeaveLargeMerges();
  std::vector<domain::Need> needs;
  for (int i = 0; i < 1'000; ++i) needs.push_back(community.NeedAt(i));

  Timings alone = Query(*index, needs, static_cast<double>(options.seconds) / 4);
  Writing writing(*index, community, options);
  std::thread writer([&] { writing.Write(); });
  std::thread merger([&] { writing.Merge(); });
  const std::int64_t began = absl::GetCurrentTimeNanos();
  Timings beside = Query(*index, needs, static_cast<double>(options.seconds));
  const double seconds = MicrosecondsSince(began) / 1e6;
  writing.Stop();
  writer.join();
  merger.join();
  const index::IndexState state = index->State();
  std::printf(
      options.json
          ? "{\"workload\":\"updates\",\"helpers\":%lld,\"seed\":%lld,\"updates_per_second\":%.0f,"
            "\"queries_per_second_alone\":%.0f,\"queries_per_second\":%.0f,\"p99_us_alone\":%.1f,\"mean_us\":%.1f,"
            "\"p50_us\":%.1f,\"p99_us\":%.1f,\"batch_mean_us\":%.0f,\"batch_max_us\":%.0f,\"merges\":%zu,"
            "\"merge_mean_us\":%.0f,\"merge_max_us\":%.0f,\"merge_pause_mean_us\":%.1f,\"merge_pause_max_us\":%.1f,"
            "\"segments\":%lld}\n"
          : "updates: %lld helpers, seed %lld: %.0f updates/s; queries/s alone %.0f, beside %.0f; p99 alone %.0f us; "
            "beside mean %.0f, p50 %.0f, p99 %.0f us; batch mean %.0f, max %.0f us; %zu merges, mean %.0f, max %.0f "
            "us, "
            "writes paused for mean %.1f, max %.1f us; %lld segments at the end\n",
      static_cast<long long>(options.helpers), static_cast<long long>(options.seed),
      static_cast<double>(writing.updates) / seconds, 1e6 / alone.Mean(), 1e6 / beside.Mean(), alone.Quantile(0.99),
      beside.Mean(), beside.Quantile(0.5), beside.Quantile(0.99), writing.batches.Mean(), writing.batches.Quantile(1.0),
      writing.merges.size(), writing.merges.Mean(), writing.merges.Quantile(1.0), writing.pauses.Mean(),
      writing.pauses.Quantile(1.0), static_cast<long long>(state.segments));
  return 0;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  warmline::bench::Flags flags(options);
  flags.Number("--seconds", &options.seconds);
  flags.Number("--rate", &options.rate);
  if (!flags.Parse(argc, argv) || options.helpers < 1 || options.seconds < 1 || options.rate < 1) return 2;
  if (options.quick) {
    options.helpers = 100'000;
    options.seconds = 5;
  }
  return warmline::bench::Run(options);
}
