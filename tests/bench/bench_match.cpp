// Match at scale, beside a plain accumulate-everything scan of the same postings in the same run, and held against the
// oracle.
//   bench_match [--json] [--quick] [--helpers N] [--queries N] [--seed S] [--oracle N]
#include <absl/strings/numbers.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/rcu.h"
#include "index/matcher.h"
#include "index/pool_index.h"
#include "index/query.h"
#include "simulation/community.h"
#include "support/oracle.h"

namespace warmline::bench {
namespace {

constexpr std::int64_t kEpochHour = 1'790'000'000 / 3600;
constexpr int kTopK = 10;

struct Options {
  bool json = false;
  std::int64_t helpers = 1'000'000;
  int queries = 1'000;
  std::uint64_t seed = 1;
  int oracle = 3;
};

// What a search engine without bounds does at least: adds every posting of the query up, then picks the k largest sums.
class PlainScan {
 public:
  // The same postings, as plain arrays.
  PlainScan(const index::Segment& segment, std::size_t terms)
      : begin_(terms + 1, 0), sums_(segment.size(), 0), touched_(segment.size() + 1) {
    const auto for_each = [&](auto f) {
      for (std::uint32_t doc = 0; doc < segment.size(); ++doc)
        segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t level) { f(doc, term, level); });
    };
    for_each([&](std::uint32_t, std::uint32_t term, std::uint8_t) { ++begin_[term + 1]; });
    for (std::size_t t = 0; t < terms; ++t) begin_[t + 1] += begin_[t];
    documents_.resize(begin_.back());
    levels_.resize(begin_.back());
    std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
    for_each([&](std::uint32_t doc, std::uint32_t term, std::uint8_t level) {
      documents_[next[term]] = doc;
      levels_[next[term]++] = level;
    });
  }

  std::uint64_t Run(const index::Query& query) {
    std::size_t count = 0;
    for (const index::QueryTerm& term : query.terms) {
      const auto weight = static_cast<std::uint32_t>(query.own[term.own].weight * term.discount >> 16) | 1U;
      for (std::size_t i = begin_[term.term]; i < begin_[term.term + 1]; ++i) {
        std::uint32_t& sum = sums_[documents_[i]];
        touched_[count] = documents_[i];
        count += sum == 0 ? 1 : 0;
        sum += weight * levels_[i];
      }
    }
    best_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const std::pair entry(sums_[touched_[i]], touched_[i]);
      sums_[touched_[i]] = 0;
      if (best_.size() == kTopK && entry <= best_.front()) continue;
      if (best_.size() == kTopK) {
        std::pop_heap(best_.begin(), best_.end(), std::greater<>());
        best_.pop_back();
      }
      best_.push_back(entry);
      std::push_heap(best_.begin(), best_.end(), std::greater<>());
    }
    return count;
  }

 private:
  std::vector<std::size_t> begin_;
  std::vector<std::uint32_t> documents_;
  std::vector<std::uint8_t> levels_;
  std::vector<std::uint32_t> sums_;
  std::vector<std::uint32_t> touched_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> best_;
};

struct Timings {
  std::vector<double> us;
  double Mean() const {
    double sum = 0;
    for (const double t : us) sum += t;
    return sum / static_cast<double>(us.size());
  }
  double Quantile(double q) {
    std::sort(us.begin(), us.end());
    return us[std::min(us.size() - 1, static_cast<std::size_t>(q * static_cast<double>(us.size())))];
  }
};

double MicrosecondsSince(std::int64_t began_ns) {
  return static_cast<double>(absl::GetCurrentTimeNanos() - began_ns) / 1e3;
}

// Answers that differ from the oracle's, of the first `count` queries.
int Mismatches(const simulation::Community& community, const index::PoolIndex& index, const Options& options) {
  if (options.oracle == 0) return 0;
  testing::OracleWorld world;
  world.epoch_hour = kEpochHour;
  for (std::int64_t i = 0; i < options.helpers; ++i) world.members.push_back(community.HelperAt(i));
  world.statistics = index.CountStatistics(1);
  int mismatches = 0;
  for (int i = 0; i < options.oracle; ++i) {
    const auto expected = testing::BruteForce(world, community.NeedAt(i), kTopK);
    const base::RcuReadGuard guard;
    const auto actual =
        index::Match(index.view(), community.NeedAt(i), {.top_k = kTopK}, [] { return absl::OkStatus(); });
    bool same = actual.ok() && actual->ranked.size() == expected.ranked.size() &&
                (!actual->counts_are_complete || actual->candidates == expected.candidates);
    for (std::size_t j = 0; same && j < expected.ranked.size(); ++j) {
      same = actual->ranked[j].id == expected.ranked[j].id && actual->ranked[j].score == expected.ranked[j].score;
    }
    mismatches += same ? 0 : 1;
  }
  return mismatches;
}

void Run(const char* workload, simulation::Mode mode, const Options& options) {
  const simulation::Community community({.helpers = options.helpers, .seed = options.seed, .mode = mode});
  domain::Pool pool;
  pool.id = "bench";
  index::PoolIndex index(pool, kEpochHour);
  {
    index::PoolIndex::Loader loader(index);
    for (std::int64_t i = 0; i < options.helpers; ++i) loader.Add(community.HelperAt(i));
    loader.Finish(1);
  }
  const std::vector<domain::Change> statistics = {{2, index.CountStatistics(1)}};
  index.Apply(statistics);

  Timings match;
  Timings scan;
  double candidates = 0;
  {
    const base::RcuReadGuard guard;
    const index::View& view = index.view();
    PlainScan plain(*view.segments.front().segment, view.tables->terms.size());
    index::Query query;
    for (int i = -20; i < options.queries; ++i) {  // the first warm up
      const domain::Need need = community.NeedAt(i < 0 ? 1'000'000 - i : i);
      std::int64_t began = absl::GetCurrentTimeNanos();
      const auto result = index::Match(view, need, {.top_k = kTopK}, [] { return absl::OkStatus(); });
      const double match_us = MicrosecondsSince(began);
      index::MakeQuery(view, need, query);
      began = absl::GetCurrentTimeNanos();
      const std::uint64_t found = plain.Run(query);
      const double scan_us = MicrosecondsSince(began);
      if (i < 0) continue;
      match.us.push_back(match_us);
      scan.us.push_back(scan_us);
      candidates += static_cast<double>(found) / options.queries;
    }
  }
  const index::IndexState state = index.State();
  const auto helpers = static_cast<double>(options.helpers);
  const double bytes = static_cast<double>(state.bytes.Helpers()) / helpers;
  const int mismatches = Mismatches(community, index, options);
  const double mean = match.Mean();
  if (options.json) {
    std::printf(
        "{\"workload\":\"%s\",\"helpers\":%lld,\"seed\":%llu,\"queries\":%d,\"mean_us\":%.1f,\"p50_us\":%.1f,\"p99_"
        "us\":%.1f,\"p99_to_mean\":%.2f,\"scan_mean_us\":%.1f,"
        "\"ratio_to_scan\":%.3f,\"mean_candidates\":%.0f,\"oracle_queries\":%d,\"mismatches\":%d,\"bytes_per_helper\":%"
        ".1f,\"id_bytes_per_helper\":%.1f}\n",
        workload, static_cast<long long>(options.helpers), static_cast<unsigned long long>(options.seed),
        options.queries, mean, match.Quantile(0.5), match.Quantile(0.99), match.Quantile(0.99) / mean, scan.Mean(),
        mean / scan.Mean(), candidates, options.oracle, mismatches, bytes,
        static_cast<double>(state.bytes.ids) / helpers);
  } else {
    std::printf(
        "%-12s %lld helpers: match %.0f us (p50 %.0f, p99 %.0f), scan %.0f us, ratio %.2f, %.0f candidates, %d of %d "
        "oracle answers differ, %.0f bytes a helper\n",
        workload, static_cast<long long>(options.helpers), mean, match.Quantile(0.5), match.Quantile(0.99), scan.Mean(),
        mean / scan.Mean(), candidates, mismatches, options.oracle, bytes);
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto number = [&](auto* value) { return i + 1 < argc && absl::SimpleAtoi(argv[++i], value); };
    bool good = true;
    if (flag == "--json") {
      options.json = true;
    } else if (flag == "--quick") {
      options.helpers = 100'000;
      options.queries = 200;
    } else if (flag == "--helpers") {
      good = number(&options.helpers);
    } else if (flag == "--queries") {
      good = number(&options.queries);
    } else if (flag == "--seed") {
      good = number(&options.seed);
    } else if (flag == "--oracle") {
      good = number(&options.oracle);
    } else {
      good = false;
    }
    if (!good || options.helpers < 1 || options.queries < 1) {
      std::fprintf(
          stderr,
          "bench_match: %s is wrong: use [--json] [--quick] [--helpers N] [--queries N] [--seed S] [--oracle N]\n",
          flag.c_str());
      return 2;
    }
  }
  warmline::bench::Run("correlated", warmline::simulation::Mode::kCorrelated, options);
  warmline::bench::Run("adversarial", warmline::simulation::Mode::kAdversarial, options);
  return 0;
}
