#include "server/process_limits.h"

#include <absl/strings/str_cat.h>
#include <absl/synchronization/mutex.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include "server/connection_gate.h"

namespace warmline::server {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1024} * 1024;
// A connection has a descriptor of gRPC's and one of the gate's.
constexpr std::int64_t kDescriptorsPerConnection = 2;
constexpr std::int64_t kToldIn = 64 * kMiB;
constexpr std::int64_t kFewConnections = 16;
// Threads that the server starts whatever its options: those of gRPC (executors, timers, pollers; some for each
// processor), of the operations port, of long work, and of everything that looks after pools.
constexpr std::int64_t kThreads = 40;
constexpr std::int64_t kThreadsPerProcessor = 6;
// glibc reserves this much address space for each heap, of which there are at most eight for each processor.
constexpr std::int64_t kHeapBytes = 64 * kMiB;
constexpr std::int64_t kHeapsPerProcessor = 8;
// Store, caches, and pools as small as they come.
constexpr std::int64_t kStartBytes = 128 * kMiB;
// Below this a container is ended by the kernel sooner or later.
constexpr std::int64_t kSmallMemory = 256 * kMiB;

std::int64_t MappedBytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  file >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// Of the control group, in its second or first version; 0 where there is none.
std::int64_t MemoryLimit() {
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    std::int64_t bytes = 0;
    if (file >> bytes && bytes > 0) return bytes;  // "max" is no number
  }
  return 0;
}

}  // namespace

int UsableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int processors = static_cast<int>(std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof set, &set) == 0) processors = CPU_COUNT(&set);
  // Control groups v2: "<quota> <period>" in microseconds, or "max <period>".
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  if (file >> quota >> period && period > 0)
    processors = std::min(processors, static_cast<int>(std::lround(quota / period)));
  return std::max(processors, 1);
}

absl::Status PrepareDescriptors(TransportOptions& transport) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return absl::OkStatus();
  if (limit.rlim_cur < limit.rlim_max) {
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
      spdlog::info("file descriptors: raised from {} to {}", before, limit.rlim_cur);
    else
      limit.rlim_cur = before;
  }
  const auto descriptors = static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, 1'000'000'000));
  const std::int64_t fit = (descriptors - kReservedDescriptors) / kDescriptorsPerConnection;
  if (fit < kFewConnections) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this process may open ", descriptors, " files: allow it ",
                     kReservedDescriptors + kDescriptorsPerConnection * transport.max_connections, " (ulimit -n), for ",
                     transport.max_connections, " connections"));
  }
  if (fit < transport.max_connections) {
    spdlog::warn("only {} of --max-connections {} fit into {} file descriptors: raise ulimit -n to {}", fit,
                 transport.max_connections, descriptors,
                 kReservedDescriptors + kDescriptorsPerConnection * transport.max_connections);
    transport.max_connections = static_cast<int>(fit);
  }
  return absl::OkStatus();
}

std::int64_t AddressSpaceNeeded(const Config& config) {
  rlimit stack{};
  getrlimit(RLIMIT_STACK, &stack);
  const std::int64_t stack_bytes =
      stack.rlim_cur == RLIM_INFINITY ? 2 * kMiB : static_cast<std::int64_t>(stack.rlim_cur);
  // gRPC and glibc count the processors of the machine, not those that this process may use.
  const auto processors = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  const int match_threads = config.match_threads > 0 ? config.match_threads : UsableProcessors();
  const std::int64_t threads = kThreads + kThreadsPerProcessor * processors + config.read_threads + match_threads;
  const std::int64_t heaps = std::min(threads, kHeapsPerProcessor * processors);
  return MappedBytes() + threads * stack_bytes + heaps * kHeapBytes + config.transport.memory_bytes + kStartBytes;
}

absl::Status CheckMemory(const Config& config) {
  const std::int64_t needed = AddressSpaceNeeded(config);
  // What is told is rounded up: what is mapped differs a little from start to start.
  const std::int64_t told = (needed / kToldIn + 1) * (kToldIn / kMiB);
  rlimit limit{};
  const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  spdlog::info("address space: needs {} MiB and what pools take; {}", told,
               limited ? absl::StrCat("may have ", limit.rlim_cur / kMiB, " MiB") : "not limited");
  if (limited && static_cast<std::int64_t>(limit.rlim_cur) < needed) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the address space is limited to ", limit.rlim_cur / kMiB, " MiB (ulimit -v), and the server needs ", told,
        " MiB to start, for the stacks and heaps of its threads above all: raise the limit, "
        "lower the stacks (ulimit -s), or limit the container's memory in its place"));
  }
  if (const std::int64_t memory = MemoryLimit(); memory != 0 && memory < kSmallMemory)
    spdlog::warn("memory is limited to {} MiB: give {} MiB or more", memory / kMiB, kSmallMemory / kMiB);
  return absl::OkStatus();
}

void SwitchOffDeadlockDetector() { absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore); }

}  // namespace warmline::server
