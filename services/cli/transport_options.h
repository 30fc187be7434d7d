// Options of `warmline serve` that limit connections (server/transport_options.h). One thread.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "server/transport_options.h"

namespace warmline::cli {

// Adds them; the result gives what was read, once the command line is parsed.
[[nodiscard]] std::function<server::TransportOptions()> AddTransportOptions(CLI::App& command);

}  // namespace warmline::cli
