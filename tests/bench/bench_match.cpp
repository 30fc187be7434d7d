// Match at scale, beside a plain accumulate-everything scan of the same postings in the same run, and held against the
// oracle.
//   bench_match [--json] [--quick] [--memory] [--helpers N] [--queries N] [--seed S] [--oracle N] [--interests N]
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/rcu.h"
#include "bench/community_index.h"
#include "bench/options.h"
#include "bench/timings.h"
#include "index/query.h"
#include "support/oracle.h"

namespace warmline::bench {
namespace {

struct Options : CommonOptions {
  bool memory = false;
  std::int64_t queries = 1'000;
  std::int64_t oracle = 3;
  std::int64_t interests = 8;  // of a need
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

// A need of the community's, with as many interests as asked for.
domain::Need NeedOf(const simulation::Community& community, std::int64_t number, std::int64_t interests) {
  domain::Need need = community.NeedAt(number);
  for (std::int64_t more = 1; static_cast<std::int64_t>(need.interests.size()) < interests; ++more) {
    for (const domain::Interest& i : community.NeedAt(number + more * 1'000'003).interests) {
      const bool known = std::any_of(need.interests.begin(), need.interests.end(),
                                     [&](const auto& n) { return n.canonical == i.canonical; });
      if (!known && static_cast<std::int64_t>(need.interests.size()) < interests) need.interests.push_back(i);
    }
  }
  need.interests.resize(static_cast<std::size_t>(interests));
  return need;
}

// Answers that differ from the oracle's, of the first `count` queries.
int Mismatches(const simulation::Community& community, const index::PoolIndex& index, const Options& options) {
  if (options.oracle == 0) return 0;
  testing::OracleWorld world;
  world.epoch_hour = kEpochHour;
  for (std::int64_t i = 0; i < options.helpers; ++i) world.members.push_back(community.HelperAt(i));
  world.statistics = index.CountStatistics(1);
  int mismatches = 0;
  for (std::int64_t i = 0; i < options.oracle; ++i) {
    const auto expected = testing::BruteForce(world, NeedOf(community, i, options.interests), kTopK);
    const base::RcuReadGuard guard;
    const auto actual = Answer(index.view(), NeedOf(community, i, options.interests));
    bool same = actual.ok() && actual->ranked.size() == expected.ranked.size() &&
                (!actual->counts_are_complete || actual->candidates == expected.candidates);
    for (std::size_t j = 0; same && j < expected.ranked.size(); ++j) {
      same = actual->ranked[j].id == expected.ranked[j].id && actual->ranked[j].score == expected.ranked[j].score;
    }
    mismatches += same ? 0 : 1;
  }
  return mismatches;
}

void PrintMemory(const char* workload, const index::IndexState& state, const Options& options) {
  const auto each = [&](std::int64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(options.helpers);
  };
  const index::IndexState::Bytes& b = state.bytes;
  std::printf(
      options.json
          ? "{\"workload\":\"memory_%s\",\"helpers\":%lld,\"seed\":%lld,\"bytes_per_helper\":%.1f,\"rows\":%.1f,"
            "\"filters\":%.1f,\"postings\":%.1f,\"columns\":%.1f,\"lookups\":%.1f,\"deaths\":%.2f,\"members\":%.1f,"
            "\"dictionary\":%.1f,\"ids\":%.1f}\n"
          : "memory of %s, %lld helpers, seed %lld: %.1f bytes a helper: rows %.1f, filters %.1f, postings %.1f, "
            "columns of "
            "the epoch %.1f, member to document %.1f, deaths %.2f, facts and loads %.1f, dictionary and statistics "
            "%.1f; "
            "ids besides %.1f\n",
      workload, static_cast<long long>(options.helpers), static_cast<long long>(options.seed), each(b.Helpers()),
      each(b.rows), each(b.filters), each(b.postings), each(b.columns), each(b.lookups), each(b.deaths),
      each(b.members), each(b.dictionary), each(b.ids));
}

void Run(const char* workload, simulation::Mode mode, const Options& options) {
  const simulation::Community community(
      {.helpers = options.helpers, .seed = static_cast<std::uint64_t>(options.seed), .mode = mode});
  const auto index = MakeIndex(community, options.helpers);
  const index::IndexState state = index->State();
  if (options.memory) {
    PrintMemory(workload, state, options);
    return;
  }

  Timings match;
  Timings scan;
  double candidates = 0;
  double lists = 0;
  double touched = 0;
  double weighed = 0;
  {
    const base::RcuReadGuard guard;
    const index::View& view = index->view();
    PlainScan plain(*view.segments.front().segment, view.tables->terms.size());
    index::Query query;
    for (std::int64_t i = -20; i < options.queries; ++i) {  // the first warm up
      const domain::Need need = NeedOf(community, i < 0 ? 1'000'000 - i : i, options.interests);
      std::int64_t began = absl::GetCurrentTimeNanos();
      const auto result = Answer(view, need);
      const double match_us = MicrosecondsSince(began);
      index::MakeQuery(view, need, query);
      began = absl::GetCurrentTimeNanos();
      const std::uint64_t found = plain.Run(query);
      const double scan_us = MicrosecondsSince(began);
      if (i < 0) continue;
      match.Add(match_us);
      scan.Add(scan_us);
      candidates += static_cast<double>(found);
      lists += static_cast<double>(query.terms.size());
      touched += static_cast<double>(result->work.touched);
      weighed += static_cast<double>(result->work.weighed);
    }
  }
  const auto queries = static_cast<double>(options.queries);
  const auto helpers = static_cast<double>(options.helpers);
  const double bytes = static_cast<double>(state.bytes.Helpers()) / helpers;
  const int mismatches = Mismatches(community, *index, options);
  const double mean = match.Mean();
  std::printf(
      options.json
          ? "{\"workload\":\"%s\",\"helpers\":%lld,\"seed\":%lld,\"queries\":%lld,\"interests\":%lld,\"mean_us\":%.1f,"
            "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p99_to_mean\":%.2f,\"scan_mean_us\":%.1f,\"ratio_to_scan\":%.4f,"
            "\"mean_lists\":%.1f,\"mean_candidates\":%.0f,\"mean_touched\":%.0f,\"mean_weighed\":%.0f,"
            "\"oracle_queries\":%lld,\"mismatches\":%d,\"bytes_per_helper\":%.1f,\"id_bytes_per_helper\":%.1f}\n"
          : "%-12s %lld helpers, seed %lld, %lld needs of %lld interests: match %.0f us (p50 %.0f, p99 %.0f, %.2f of "
            "the "
            "mean), scan %.0f us, ratio %.4f; %.1f lists, %.0f candidates, %.0f touched, %.0f weighed; of %lld oracle "
            "answers %d differ; %.1f bytes a helper, ids %.1f\n",
      workload, static_cast<long long>(options.helpers), static_cast<long long>(options.seed),
      static_cast<long long>(options.queries), static_cast<long long>(options.interests), mean, match.Quantile(0.5),
      match.Quantile(0.99), match.Quantile(0.99) / mean, scan.Mean(), mean / scan.Mean(), lists / queries,
      candidates / queries, touched / queries, weighed / queries, static_cast<long long>(options.oracle), mismatches,
      bytes, static_cast<double>(state.bytes.ids) / helpers);
  std::fflush(stdout);
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  warmline::bench::Flags flags(options);
  flags.Switch("--memory", &options.memory);
  flags.Number("--queries", &options.queries);
  flags.Number("--oracle", &options.oracle);
  flags.Number("--interests", &options.interests);
  if (!flags.Parse(argc, argv) || options.helpers < 1 || options.queries < 1 || options.interests < 1 ||
      options.interests > warmline::domain::kMaxInterestsPerNeed)
    return 2;
  if (options.quick) {
    options.helpers = 100'000;
    options.queries = 200;
  }
  warmline::bench::Run("correlated", warmline::simulation::Mode::kCorrelated, options);
  warmline::bench::Run("adversarial", warmline::simulation::Mode::kAdversarial, options);
  return 0;
}
