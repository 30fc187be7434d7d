// What a server does again and again that should leave nothing in its memory. Thread-safety: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/test_server.h"

namespace warmline::bench {

// Something that is done over and over. `Run` does it so many times.
class Habit {
 public:
  virtual ~Habit() = default;
  virtual void Run(std::int64_t times) = 0;
  // Calls that failed though they should not have, and the first of their messages.
  [[nodiscard]] virtual std::int64_t failures() const = 0;
  [[nodiscard]] virtual std::string first_failure() const = 0;
};

struct ChurnScale {
  int living = 320;
  int threads = 8;
};

struct Workload {
  const char* name;
  // Of the server that it runs against, if it needs something of its own.
  std::function<void(server::Config&)> adjust;
  // Against a server with the pool `p`.
  std::function<std::unique_ptr<Habit>(testing::TestServer&, const ChurnScale&)> make;
  // Cycles for each life of the main workload: so that all take about as long.
  double share = 1;
};

// Lives of members: all they do, and each thing alone.
[[nodiscard]] std::vector<Workload> LivesOfMembers();
// Everything else: matches, refused calls, connections, watches, edits, imports and exports, tokens, pools.
[[nodiscard]] std::vector<Workload> OtherHabits();

}  // namespace warmline::bench
