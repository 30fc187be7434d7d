// `warmline simulate --market`: plays a year of a market with and without each rule, and prints its figures.
#pragma once

#include <string>
#include <vector>

#include "simulation/market.h"

namespace warmline::cli {

// The names that `without` may have, in the order in which they are played.
[[nodiscard]] std::vector<std::string> WithoutNames();
// One JSON object a line for each month, and one for all of it, to `path` (- is standard output). Returns the exit
// code.
[[nodiscard]] int SimulateMarkets(const simulation::MarketOptions& options, const std::vector<std::string>& without,
                                  const std::string& path);

}  // namespace warmline::cli
