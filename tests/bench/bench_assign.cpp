// Whole cohorts: our solver beside LEMON's network simplex and a plain Hungarian method, on the same problems in the
// same run. Every optimum is proved by its certificate; peers must reach the same sum.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <random>
#include <sstream>

#include "assignment/certificate.h"
#include "assignment/optimal.h"
#include "bench/assign_peers.h"

namespace warmline::bench {
namespace {

using assignment::Problem;

Problem Dense(int n, std::int64_t range, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Problem problem;
  problem.seeker_capacity.assign(static_cast<std::size_t>(n), 1);
  problem.helper_capacity.assign(static_cast<std::size_t>(n), 1);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j)
      problem.pairs.push_back({i, j, static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range))});
  }
  return problem;
}

// Scores as matching gives them: some helpers are good for nearly all, the rest for their own field.
Problem Sparse(int seekers, int helpers, int pairs_each, int capacity, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Problem problem;
  problem.seeker_capacity.assign(static_cast<std::size_t>(seekers), 1);
  std::vector<std::int64_t> quality;
  for (int j = 0; j < helpers; ++j) {
    problem.helper_capacity.push_back(
        1 + static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(2 * capacity - 1)));
    quality.push_back(static_cast<std::int64_t>(random() % 300'000));
  }
  for (int i = 0; i < seekers; ++i) {
    std::vector<std::int32_t> list;
    const std::uint64_t field = random() % 50;
    while (static_cast<int>(list.size()) < pairs_each) {
      const std::uint64_t draw = random();
      const auto in_field = static_cast<std::uint64_t>(helpers) / 50;
      const auto j =
          draw % 10 < 8 ? field * in_field + (draw >> 8) % in_field : (draw >> 8) % static_cast<std::uint64_t>(helpers);
      if (std::find(list.begin(), list.end(), static_cast<std::int32_t>(j)) == list.end())
        list.push_back(static_cast<std::int32_t>(j));
    }
    std::sort(list.begin(), list.end());
    for (const auto j : list)
      problem.pairs.push_back(
          {i, j, 300'000 + quality[static_cast<std::size_t>(j)] + static_cast<std::int64_t>(random() % 400'000)});
  }
  return problem;
}

// An instance of ../shared/data/assignment: costs to be made small, so weights are what they lack to the largest.
std::optional<Problem> OrLibrary(const std::filesystem::path& file, std::int64_t& offset) {
  std::FILE* pipe = popen(("gzip -dc '" + file.string() + "' 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string text;
  char buffer[65'536];
  while (const std::size_t read = std::fread(buffer, 1, sizeof(buffer), pipe)) text.append(buffer, read);
  if (pclose(pipe) != 0) return std::nullopt;
  std::istringstream in(text);
  std::int64_t n = 0;
  in >> n;
  std::vector<std::int64_t> costs(static_cast<std::size_t>(n * n));
  for (auto& cost : costs) in >> cost;
  if (!in) return std::nullopt;
  const std::int64_t most = *std::max_element(costs.begin(), costs.end()) + 1;
  Problem problem;
  problem.seeker_capacity.assign(static_cast<std::size_t>(n), 1);
  problem.helper_capacity.assign(static_cast<std::size_t>(n), 1);
  for (std::int64_t e = 0; e < n * n; ++e)
    problem.pairs.push_back({static_cast<std::int32_t>(e / n), static_cast<std::int32_t>(e % n),
                             most - costs[static_cast<std::size_t>(e)]});
  offset = most * n;
  return problem;
}

struct Run {
  std::string workload;
  Problem problem;
  bool hungarian = true;
  bool simplex = true;
  std::optional<std::int64_t> known;  // the optimum, as a sum of weights
};

bool Report(const Run& run, int repeats) {
  double best_ms = 0;
  std::optional<assignment::Solution> solution;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    auto solved = assignment::SolveOptimal(run.problem);
    const double ms = MillisecondsSince(start);
    if (!solved.ok()) {
      std::cerr << run.workload << ": " << solved.status() << "\n";
      return false;
    }
    if (!solution || ms < best_ms) best_ms = ms;
    solution = *std::move(solved);
  }
  const auto start = std::chrono::steady_clock::now();
  const bool proved = assignment::Verify(run.problem, {solution->chosen, solution->value, solution->seeker_price,
                                                       solution->helper_price})
                          .ok() &&
                      (!run.known || *run.known == solution->value);
  const double verify_ms = MillisecondsSince(start);
  std::cout << "{\"workload\": \"" << run.workload << "\", \"seekers\": " << run.problem.seeker_capacity.size()
            << ", \"helpers\": " << run.problem.helper_capacity.size() << ", \"pairs\": " << run.problem.pairs.size()
            << ", \"ms\": " << best_ms << ", \"verify_ms\": " << verify_ms << ", \"value\": " << solution->value
            << ", \"optimum_proved\": " << (proved ? "true" : "false") << ", \"looked_at_per_pair\": "
            << static_cast<double>(solution->looked_at) / static_cast<double>(run.problem.pairs.size());
  bool same = true;
  if (run.simplex) {
    const auto [value, ms] = NetworkSimplexOf(run.problem);
    same = same && value == solution->value;
    std::cout << ", \"network_simplex_ms\": " << ms << ", \"times_faster_than_network_simplex\": " << ms / best_ms;
  }
  if (run.hungarian) {
    const auto [value, ms] = HungarianOf(run.problem);
    same = same && value == solution->value;
    std::cout << ", \"hungarian_ms\": " << ms << ", \"times_faster_than_hungarian\": " << ms / best_ms;
  }
  std::cout << ", \"peers_agree\": " << (same ? "true" : "false") << "}" << std::endl;
  return proved && same;
}

int Main(int argc, char** argv) {
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--quick") quick = true;
    if (argument != "--quick" && argument != "--json") {
      std::cerr << "bench_assign [--json] [--quick]: one JSON object a line for each cohort\n";
      return argument == "--help" ? 0 : 2;
    }
  }
  bool good = true;
  for (const std::uint64_t seed : {1, 2, 3})
    good = Report({"dense_500_seed_" + std::to_string(seed), Dense(500, 1 << 20, seed), true, true, {}}, 5) && good;
  const char* source = std::getenv("WARMLINE_SOURCE");
  const std::filesystem::path data =
      std::filesystem::path(source == nullptr ? "." : source) / "../shared/data/assignment";
  std::ifstream optima(data / "optima.tsv");
  std::string line;
  std::getline(optima, line);
  while (std::getline(optima, line)) {
    std::istringstream fields(line);
    std::string name;
    std::int64_t n = 0;
    std::int64_t optimum = 0;
    fields >> name >> n >> optimum;
    std::int64_t offset = 0;
    auto problem = OrLibrary(data / (name.substr(name.find('/') + 1) + ".txt.gz"), offset);
    if (!problem) continue;
    good = Report({name.substr(name.find('/') + 1), *std::move(problem), true, true, offset - optimum}, 5) && good;
  }
  good = Report({"sparse_10k_x_10k", Sparse(10'000, 10'000, 20, 1, 7), false, true, {}}, quick ? 1 : 3) && good;
  if (!quick) good = Report({"sparse_100k_x_20k", Sparse(100'000, 20'000, 30, 5, 7), false, true, {}}, 1) && good;
  return good ? 0 : 1;
}

}  // namespace
}  // namespace warmline::bench

int main(int argc, char** argv) { return warmline::bench::Main(argc, argv); }
