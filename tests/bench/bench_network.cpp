// The cost of closeness: the same needs in the same pool without ties, and with many, some of them of hubs. Seekers are
// ordinary members, contacts of hubs, and hubs.
//   bench_network [--json] [--quick] [--helpers N] [--queries N] [--ties N] [--hubs N] [--hub-ties N] [--seed S]
#include <cstdio>
#include <string>
#include <unordered_set>

#include "base/rcu.h"
#include "bench/community_index.h"
#include "bench/options.h"
#include "bench/timings.h"

namespace warmline::bench {
namespace {

struct Options : CommonOptions {
  std::int64_t queries = 300;
  std::int64_t ties = 50;
  std::int64_t hubs = 200;
  std::int64_t hub_ties = 5'000;
};

// Hub i is member i * step; its ties go to members spread over the pool, others for each hub.
std::int64_t HubNumber(const Options& options, std::int64_t hub) { return hub * (options.helpers / options.hubs); }
std::int64_t HubContact(const Options& options, std::int64_t hub, std::int64_t tie) {
  const std::int64_t step = options.helpers / options.hub_ties;
  return (HubNumber(options, hub) + 7 + tie * step + hub * 37 % step) % options.helpers;
}

void AddTies(const simulation::Community& community, const Options& options, index::PoolIndex::Loader& loader) {
  for (std::int64_t i = 0; i < options.helpers; ++i) {
    for (const domain::Connection& tie : community.TiesOf(i)) loader.Add(tie);
  }
  for (std::int64_t hub = 0; hub < options.hubs; ++hub) {
    const std::string id = "h" + std::to_string(HubNumber(options, hub));
    for (std::int64_t tie = 0; tie < options.hub_ties; ++tie) {
      domain::Connection connection;
      connection.a = id;
      connection.b = "h" + std::to_string(HubContact(options, hub, tie));
      if (connection.a == connection.b) continue;
      connection.strength = static_cast<double>(1 + tie % 10) / 10;
      connection.state = domain::ConnectionState::kConfirmed;
      loader.Add(connection);
    }
  }
}

std::string SeekerOf(const Options& options, const std::string& kind, std::int64_t i) {
  if (kind == "hub") return "h" + std::to_string(HubNumber(options, i % options.hubs));
  if (kind == "contact_of_hub")
    return "h" + std::to_string(HubContact(options, i % options.hubs, i % options.hub_ties));
  return "h" + std::to_string(i * 7919 % options.helpers);
}

int Run(const Options& options) {
  const simulation::Community community({.helpers = options.helpers,
                                         .seed = static_cast<std::uint64_t>(options.seed),
                                         .ties_per_member = static_cast<int>(options.ties)});
  const auto alone = MakeIndex(community, options.helpers);
  const auto tied = MakeIndex(community, options.helpers, [&](auto& loader) { AddTies(community, options, loader); });
  const index::IndexState state = tied->State();
  for (const std::string kind : {"member", "contact_of_hub", "hub"}) {
    Timings without;
    Timings with;
    Timings collect;
    double neighbours = 0;
    network::Neighbourhood near;
    for (std::int64_t i = -10; i < options.queries; ++i) {
      domain::Need need = community.NeedAt(i < 0 ? 1'000'000 - i : i);
      need.seeker = SeekerOf(options, kind, i < 0 ? -i : i);
      const base::RcuReadGuard guard;
      std::int64_t began = absl::GetCurrentTimeNanos();
      (void)Answer(alone->view(), need);
      const double a = MicrosecondsSince(began);
      began = absl::GetCurrentTimeNanos();
      (void)Answer(tied->view(), need);
      const double b = MicrosecondsSince(began);
      const index::View& view = tied->view();
      const auto seeker = view.tables->members.Find(need.seeker);
      began = absl::GetCurrentTimeNanos();
      near.Collect(*view.ties, view.tables->members, *seeker, view.sequence, view.pool->policy.second_degree_decay);
      const double c = MicrosecondsSince(began);
      if (i < 0) continue;
      without.Add(a);
      with.Add(b);
      collect.Add(c);
      neighbours += static_cast<double>(near.all().size()) / static_cast<double>(options.queries);
    }
    std::printf(
        options.json
            ? "{\"workload\":\"network\",\"seeker\":\"%s\",\"helpers\":%lld,\"seed\":%lld,\"directed_ties\":%lld,"
              "\"bytes_per_tie\":%.2f,\"mean_neighbours\":%.0f,\"without_ties_mean_us\":%.1f,\"mean_us\":%.1f,"
              "\"p50_us\":%.1f,\"p99_us\":%.1f,\"collect_mean_us\":%.1f,\"ratio_to_without\":%.2f}\n"
            : "%-14s %lld helpers, seed %lld, %lld ties of %.2f bytes: %.0f neighbours; without ties %.0f us, with "
              "%.0f us (p50 %.0f, p99 %.0f), of it collecting neighbours %.0f us; ratio %.2f\n",
        kind.c_str(), static_cast<long long>(options.helpers), static_cast<long long>(options.seed),
        static_cast<long long>(state.directed_ties),
        static_cast<double>(state.bytes.ties) / static_cast<double>(state.directed_ties), neighbours, without.Mean(),
        with.Mean(), with.Quantile(0.5), with.Quantile(0.99), collect.Mean(), with.Mean() / without.Mean());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) {
  warmline::bench::Options options;
  warmline::bench::Flags flags(options);
  flags.Number("--queries", &options.queries);
  flags.Number("--ties", &options.ties);
  flags.Number("--hubs", &options.hubs);
  flags.Number("--hub-ties", &options.hub_ties);
  if (!flags.Parse(argc, argv)) return 2;
  if (options.quick) {
    options.helpers = 100'000;
    options.hubs = 20;
    options.queries = 100;
  }
  if (options.hubs < 1 || options.hub_ties < 1 || options.helpers < options.hubs || options.helpers < options.hub_ties)
    return 2;
  return warmline::bench::Run(options);
}
