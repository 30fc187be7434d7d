// `warmline assign` of a pool: over gRPC, from the index of a running server.
#pragma once

#include <string>
#include <vector>

#include "cli/client.h"

namespace warmline::cli {

struct AssignPoolOptions {
  std::vector<std::string> needs;  // ids; empty: all
  bool best_sum = false;
  bool floor = false;
  int top_k = 0;
  std::string message;  // empty: only on paper
  std::string request_id;
};

// Prints CSV, or JSON lines; progress and a summary on stderr. Returns the exit code.
[[nodiscard]] int AssignPool(const ClientOptions& client, const AssignPoolOptions& options);

}  // namespace warmline::cli
