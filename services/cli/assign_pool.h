// `warmline assign` of a pool: over gRPC, from the index of a running server.
#pragma once

#include <string>
#include <vector>

#include "cli/client.h"

namespace warmline::cli {

struct AssignPoolOptions {
  std::vector<std::string> needs;  // ids; empty: all
  bool stable = false;
  bool helpers_propose = false;
  std::uint64_t seed = 0;
  bool best_sum = false;
  bool floor = false;
  std::string min_score;  // a decimal in [0, 1]; empty: none
  int top_k = 0;
  std::vector<std::string> fixed;  // need=helper
  std::vector<std::string> forbidden;
  std::string previous;  // CSV of an earlier result
  std::string message;   // empty: only on paper
  std::string request_id;
  std::string out = "-";    // CSV
  std::string report;       // HTML
  std::string certificate;  // a path P: P, and beside it P.pairs.csv and P.places.csv
};

// Writes CSV, or JSON lines; progress and a summary on stderr. Returns the exit code.
[[nodiscard]] int AssignPool(const ClientOptions& client, const AssignPoolOptions& options);

}  // namespace warmline::cli
