#include "bench/assign_peers.h"

#include <lemon/network_simplex.h>
#include <lemon/smart_graph.h>

#include <limits>
#include <vector>

namespace warmline::bench {

using assignment::Problem;

// The same problem as a flow: from the seekers through pairs of one unit to the helpers, what is left beside them.
std::pair<std::int64_t, double> NetworkSimplexOf(const Problem& problem) {
  const auto start = std::chrono::steady_clock::now();
  lemon::SmartDigraph graph;
  std::vector<lemon::SmartDigraph::Node> seekers;
  std::vector<lemon::SmartDigraph::Node> helpers;
  graph.reserveNode(static_cast<int>(problem.seeker_capacity.size() + problem.helper_capacity.size() + 2));
  graph.reserveArc(
      static_cast<int>(problem.pairs.size() + problem.seeker_capacity.size() * 2 + problem.helper_capacity.size()));
  const auto source = graph.addNode();
  const auto sink = graph.addNode();
  for (std::size_t i = 0; i < problem.seeker_capacity.size(); ++i) seekers.push_back(graph.addNode());
  for (std::size_t j = 0; j < problem.helper_capacity.size(); ++j) helpers.push_back(graph.addNode());
  std::vector<std::int64_t> cost;
  std::vector<std::int64_t> upper;
  const auto arc = [&](auto from, auto to, std::int64_t capacity, std::int64_t price) {
    graph.addArc(from, to);
    upper.push_back(capacity);
    cost.push_back(price);
  };
  std::int64_t places = 0;
  for (const auto& pair : problem.pairs)
    arc(seekers[static_cast<std::size_t>(pair.seeker)], helpers[static_cast<std::size_t>(pair.helper)], 1,
        -pair.weight);
  for (std::size_t i = 0; i < seekers.size(); ++i) {
    arc(source, seekers[i], problem.seeker_capacity[i], 0);
    arc(seekers[i], sink, problem.seeker_capacity[i], 0);
    places += problem.seeker_capacity[i];
  }
  for (std::size_t j = 0; j < helpers.size(); ++j) arc(helpers[j], sink, problem.helper_capacity[j], 0);
  lemon::SmartDigraph::ArcMap<std::int64_t> cost_map(graph);
  lemon::SmartDigraph::ArcMap<std::int64_t> upper_map(graph);
  for (lemon::SmartDigraph::ArcIt a(graph); a != lemon::INVALID; ++a) {
    cost_map[a] = cost[static_cast<std::size_t>(lemon::SmartDigraph::id(a))];
    upper_map[a] = upper[static_cast<std::size_t>(lemon::SmartDigraph::id(a))];
  }
  lemon::NetworkSimplex<lemon::SmartDigraph, std::int64_t, std::int64_t> simplex(graph);
  simplex.upperMap(upper_map).costMap(cost_map).stSupply(source, sink, places);
  simplex.run();
  return {-simplex.totalCost<std::int64_t>(), MillisecondsSince(start)};
}

// Kuhn 1955 and Munkres 1957 as it is usually written, in O(n^3) on a square matrix of costs.
std::pair<std::int64_t, double> HungarianOf(const Problem& problem) {
  const auto start = std::chrono::steady_clock::now();
  const std::size_t n = problem.seeker_capacity.size();
  std::vector<std::int64_t> cost(n * n, 0);
  for (const auto& pair : problem.pairs)
    cost[static_cast<std::size_t>(pair.seeker) * n + static_cast<std::size_t>(pair.helper)] = -pair.weight;
  std::vector<std::int64_t> u(n + 1, 0);
  std::vector<std::int64_t> v(n + 1, 0);
  std::vector<std::size_t> row_of(n + 1, 0);
  std::vector<std::size_t> way(n + 1, 0);
  for (std::size_t i = 1; i <= n; ++i) {
    row_of[0] = i;
    std::size_t column = 0;
    std::vector<std::int64_t> least(n + 1, std::numeric_limits<std::int64_t>::max());
    std::vector<char> used(n + 1, 0);
    do {
      used[column] = 1;
      const std::size_t row = row_of[column];
      std::int64_t delta = std::numeric_limits<std::int64_t>::max();
      std::size_t next = 0;
      for (std::size_t j = 1; j <= n; ++j) {
        if (used[j] != 0) continue;
        const std::int64_t reduced = cost[(row - 1) * n + j - 1] - u[row] - v[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          way[j] = column;
        }
        if (least[j] < delta) {
          delta = least[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= n; ++j) {
        if (used[j] != 0) {
          u[row_of[j]] += delta;
          v[j] -= delta;
        } else {
          least[j] -= delta;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    do {
      const std::size_t before = way[column];
      row_of[column] = row_of[before];
      column = before;
    } while (column != 0);
  }
  std::int64_t sum = 0;
  for (std::size_t j = 1; j <= n; ++j) sum -= cost[(row_of[j] - 1) * n + j - 1];
  return {sum, MillisecondsSince(start)};
}

}  // namespace warmline::bench
