// Warmline's match beside other engines over the same interests: Redis sorted sets, PostgreSQL arrays, Xapian, HNSW.
// It starts their servers itself. Peers add up the need's own interests only; Warmline is timed twice: the whole match
// (all parts, rules and related interests), and one that ranks by interests alone, whose scores must equal the peers'.
//   bench_peers [--json] [--quick] [--helpers N] [--queries N] [--seed S] [--hnsw-helpers N]
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "base/rcu.h"
#include "bench/options.h"
#include "bench/peers/peer.h"
#include "bench/timings.h"
#include "index/matcher.h"
#include "index/pool_index.h"
#include "simulation/community.h"

namespace warmline::bench {
namespace {

constexpr std::int64_t kEpochHour = 1'790'000'000 / 3600;
constexpr int kWarmUp = 3;

struct Options : CommonOptions {
  std::int64_t queries = 60;
  std::int64_t hnsw_helpers = 100'000;
};

// An index of so many helpers; by interests alone when asked, and then without related ones.
std::unique_ptr<index::PoolIndex> MakeIndex(const simulation::Community& community, std::int64_t helpers,
                                            bool interests_only) {
  domain::Pool pool;
  pool.id = "bench";
  if (interests_only) {
    pool.policy.weights = {};
    pool.policy.weights[0] = domain::kOne;
    pool.policy.shift_high = pool.policy.shift_immediate = 0;
  }
  auto index = std::make_unique<index::PoolIndex>(pool, kEpochHour);
  {
    index::PoolIndex::Loader loader(*index);
    for (std::int64_t i = 0; i < helpers; ++i) {
      domain::Member member = community.HelperAt(i);
      if (interests_only) {  // nobody is ruled out
        member.load = {};
        for (int kind = 1; kind <= 9; ++kind) member.offer->help_kinds.push_back(static_cast<domain::HelpKind>(kind));
      }
      loader.Add(member);
    }
    loader.Finish(1);
  }
  domain::Statistics statistics = index->CountStatistics(1);
  if (interests_only) {
    for (auto& interest : statistics.interests) interest.relations.clear();
  }
  const std::vector<domain::Change> changes = {{2, statistics}};
  index->Apply(changes);
  return index;
}

PeerData DataOf(const index::PoolIndex& index) {
  const base::RcuReadGuard guard;
  const index::View& view = index.view();
  PeerData data;
  data.terms = view.tables->terms.size();
  data.helpers.resize(view.tables->members.size());
  const index::Segment& segment = *view.segments.front().segment;
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    auto& helper = data.helpers[segment.row(doc).member()];
    segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t level) { helper.push_back({term, level}); });
  }
  return data;
}

PeerQuery QueryOf(const index::View& view, const domain::Need& need, std::uint32_t terms) {
  index::Query query;
  index::MakeQuery(view, need, query);
  PeerQuery peer;
  for (const index::OwnTerm& own : query.own) {
    if (own.term < terms) peer.emplace_back(own.term, own.weight);
  }
  return peer;
}

// Scores of the best, by going through everybody.
struct Exact {
  std::vector<double> weighted;
  std::vector<double> shared_terms;
  std::vector<double> score_of;  // weighted, by helper
};
Exact BruteForce(const PeerData& data, const PeerQuery& query) {
  std::vector<std::uint64_t> weight(data.terms, 0);
  for (const auto& [term, w] : query) weight[term] = w;
  Exact exact;
  exact.score_of.reserve(data.helpers.size());
  exact.shared_terms.reserve(data.helpers.size());
  for (const auto& helper : data.helpers) {
    double score = 0;
    double shared = 0;
    for (const PeerTerm& t : helper) {
      score += static_cast<double>(weight[t.term] * t.level);
      shared += weight[t.term] > 0 ? 1 : 0;
    }
    exact.score_of.push_back(score);
    exact.shared_terms.push_back(shared);
  }
  exact.weighted = exact.score_of;
  for (auto* list : {&exact.weighted, &exact.shared_terms}) {
    std::sort(list->begin(), list->end(), std::greater<>());
    list->resize(std::min<std::size_t>(list->size(), kPeerTopK));
    std::erase(*list, 0.0);
  }
  return exact;
}

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options),
        community_({.helpers = options.helpers, .seed = static_cast<std::uint64_t>(options.seed)}),
        full_(MakeIndex(community_, options.helpers, false)),
        plain_(MakeIndex(community_, options.helpers, true)),
        data_(DataOf(*plain_)) {}

  bool Run(Peer& peer, const std::string& directory) {
    const std::size_t held = peer.Holds(data_.helpers.size());
    const bool all = held == data_.helpers.size();
    const auto few_full = all ? nullptr : MakeIndex(community_, static_cast<std::int64_t>(held), false);
    const auto few_plain = all ? nullptr : MakeIndex(community_, static_cast<std::int64_t>(held), true);
    const PeerData part = all ? PeerData() : DataOf(*few_plain);
    const PeerData& data = all ? data_ : part;
    if (!peer.Load(data, directory)) return false;
    const index::PoolIndex& full = all ? *full_ : *few_full;
    const index::PoolIndex& plain = all ? *plain_ : *few_plain;

    Timings peer_us;
    Timings full_us;
    Timings plain_us;
    int mismatches = 0;
    double recall = 0;
    for (std::int64_t i = -kWarmUp; i < options_.queries; ++i) {
      const base::RcuReadGuard guard;
      const domain::Need need = community_.NeedAt(i < 0 ? 1'000'000 - i : i);
      const PeerQuery query = QueryOf(plain.view(), need, data.terms);
      std::int64_t began = absl::GetCurrentTimeNanos();
      const auto answer = peer.Answer(query);
      const double asked = MicrosecondsSince(began);
      began = absl::GetCurrentTimeNanos();
      (void)index::Match(full.view(), need, {.top_k = kPeerTopK}, [] { return absl::OkStatus(); });
      const double matched = MicrosecondsSince(began);
      began = absl::GetCurrentTimeNanos();
      const auto same = index::Match(plain.view(), need, {.top_k = kPeerTopK}, [] { return absl::OkStatus(); });
      const double matched_plain = MicrosecondsSince(began);
      if (i < 0) continue;
      peer_us.Add(asked);
      full_us.Add(matched);
      plain_us.Add(matched_plain);
      const Exact exact = BruteForce(data, query);
      mismatches += IsEqual(*same, need, query, exact) ? 0 : 1;
      Judge(peer, answer, exact, mismatches, recall);
    }
    Print(peer, held, peer_us, full_us, plain_us, mismatches, recall / static_cast<double>(options_.queries));
    return true;
  }

 private:
  // Warmline by interests alone against going through everybody. The seeker, a helper too, is not matched.
  static bool IsEqual(const index::MatchResult& actual, const domain::Need& need, const PeerQuery& query,
                      const Exact& exact) {
    std::uint64_t total = 0;
    for (const auto& [term, weight] : query) total += weight;
    std::vector<double> scores = exact.score_of;
    const auto seeker = static_cast<std::size_t>(std::stoull(need.seeker.substr(1)));
    if (seeker < scores.size()) scores[seeker] = 0;
    std::partial_sort(scores.begin(), scores.begin() + kPeerTopK, scores.end(), std::greater<>());
    for (std::size_t i = 0; i < kPeerTopK && scores[i] > 0; ++i) {
      if (i >= actual.ranked.size()) return false;
      const std::uint32_t expected = index::InterestsPart(static_cast<std::uint64_t>(scores[i]), total);
      if (actual.ranked[i].parts[0] != expected) return false;
    }
    return true;
  }

  static void Judge(const Peer& peer, const std::vector<std::pair<std::uint32_t, double>>& answer, const Exact& exact,
                    int& mismatches, double& recall) {
    if (peer.scoring() == Peer::Scoring::kApproximate) {
      const double last = exact.weighted.empty() ? 0 : exact.weighted.back();
      for (const auto& [helper, score] : answer) recall += exact.score_of[helper] >= last ? 1.0 / kPeerTopK : 0;
      return;
    }
    const auto& expected = peer.scoring() == Peer::Scoring::kWeighted ? exact.weighted : exact.shared_terms;
    bool same = answer.size() == expected.size();
    for (std::size_t i = 0; same && i < expected.size(); ++i)
      same = std::abs(answer[i].second - expected[i]) <= expected[i] * 1e-9;
    mismatches += same ? 0 : 1;
    recall += same ? 1 : 0;
  }

  void Print(const Peer& peer, std::size_t helpers, Timings& peer_us, Timings& full_us, Timings& plain_us,
             int mismatches, double recall) const {
    std::printf(
        options_.json
            ? "{\"workload\":\"peers\",\"peer\":\"%s\",\"helpers\":%zu,\"seed\":%lld,\"queries\":%lld,\"peer_mean_us\":"
              "%.1f,\"mean_us\":%.1f,\"p99_us\":%.1f,\"times_faster\":%.1f,\"interests_only_mean_us\":%.1f,"
              "\"interests_only_times_faster\":%.1f,\"recall\":%.3f,\"mismatches\":%d}\n"
            : "%-22s %zu helpers, seed %lld, %lld needs: peer %.0f us, match %.0f us (p99 %.0f), %.0f times faster; "
              "by interests alone %.0f us, %.0f times; recall %.3f, %d mismatches\n",
        peer.name().c_str(), helpers, static_cast<long long>(options_.seed), static_cast<long long>(options_.queries),
        peer_us.Mean(), full_us.Mean(), full_us.Quantile(0.99), peer_us.Mean() / full_us.Mean(), plain_us.Mean(),
        peer_us.Mean() / plain_us.Mean(), recall, mismatches);
    std::fflush(stdout);
  }

  Options options_;
  simulation::Community community_;
  std::unique_ptr<index::PoolIndex> full_;
  std::unique_ptr<index::PoolIndex> plain_;
  PeerData data_;
};

int Main(int argc, char** argv) {
  Options options;
  Flags flags(options);
  flags.Number("--queries", &options.queries);
  flags.Number("--hnsw-helpers", &options.hnsw_helpers);
  if (!flags.Parse(argc, argv)) return 2;
  if (options.quick) {
    options.helpers = 20'000;
    options.queries = 20;
    options.hnsw_helpers = 5'000;
  }
  if (options.helpers < 1 || options.queries < 1) return 2;
  std::string directory = (std::filesystem::temp_directory_path() / "bench_peers_XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 1;
  bool good = true;
  {
    Bench bench(options);
    for (const auto make : {&MakeXapianPeer, &MakePostgresPeer, &MakeRedisPeer}) good &= bench.Run(*make(), directory);
    if (options.hnsw_helpers > 0)
      good &= bench.Run(*MakeHnswPeer(static_cast<std::size_t>(options.hnsw_helpers)), directory);
  }
  std::filesystem::remove_all(directory);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) { return warmline::bench::Main(argc, argv); }
