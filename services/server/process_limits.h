// What the operating system lets this process have, looked at before anything is started. Thread-safety: one thread,
// before others are started.
#pragma once

#include <absl/status/status.h>

#include <cstdint>

#include "server/config.h"

namespace warmline::server {

// The processors that this process may use: by its affinity and by the quota of its control group.
[[nodiscard]] int UsableProcessors();

// Raises the limit of file descriptors as far as it may be raised, and takes the connections that `transport` allows
// down to what fits, with a warning. RESOURCE_EXHAUSTED where not even a few connections would fit.
[[nodiscard]] absl::Status PrepareDescriptors(TransportOptions& transport);

// Address space that the server needs for its start with this configuration: what the program has mapped, the stacks
// and heaps of its threads, and what its port may hold. Pools come on top.
[[nodiscard]] std::int64_t AddressSpaceNeeded(const Config& config);
// RESOURCE_EXHAUSTED, saying what is needed and the remedy, where RLIMIT_AS (ulimit -v) is below that. Where a limit of
// memory (cgroup) is low, it warns.
[[nodiscard]] absl::Status CheckMemory(const Config& config);

// Debian builds abseil with its deadlock detector on, which costs a fifth of the time under load.
void SwitchOffDeadlockDetector();

}  // namespace warmline::server
