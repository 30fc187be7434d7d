// Port: how replicas tell each other at once what they committed. It may lose, repeat and reorder: whoever follows
// checks revisions, and has the change log. Adapters: services/cache. Thread-safety: `Publish` from any thread; `Wait`
// and `Read` from one.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "application/record_store.h"

namespace warmline::application {

class ChangeFeed {
 public:
  // That a pool has changes up to and with a revision.
  struct News {
    std::string pool;
    std::int64_t revision = 0;
  };

  virtual ~ChangeFeed() = default;
  // Tells the others, soon. Never waits: when the feed is slow or away, rows are dropped and counted.
  virtual void Publish(std::vector<LogRow> rows) = 0;
  // What others told since the last call, the newest of each pool; empty after `at_most`. Errors: UNAVAILABLE.
  [[nodiscard]] virtual absl::StatusOr<std::vector<News>> Wait(absl::Duration at_most) = 0;
  // What was told of a pool past a revision, in order, as far as the feed still has it. Errors: UNAVAILABLE.
  [[nodiscard]] virtual absl::StatusOr<std::vector<LogRow>> Read(const std::string& pool, std::int64_t after) = 0;
};

}  // namespace warmline::application
