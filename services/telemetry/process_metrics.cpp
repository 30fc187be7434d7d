#include "telemetry/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

namespace warmline::telemetry {
namespace {

prometheus::Gauge& Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::int64_t EntriesOf(const char* directory) {
  std::error_code error;
  std::int64_t count = 0;
  for (auto at = std::filesystem::directory_iterator(directory, error); !error && at != std::filesystem::end(at);
       at.increment(error))
    ++count;
  return error ? -1 : count;
}

}  // namespace

ProcessMetrics::ProcessMetrics(prometheus::Registry& registry)
    : resident_bytes_(Gauge(registry, "process_resident_memory_bytes", "Resident memory of the process.")),
      cpu_seconds_(prometheus::BuildCounter()
                       .Name("process_cpu_seconds_total")
                       .Help("User and system time of the process.")
                       .Register(registry)
                       .Add({})),
      open_fds_(Gauge(registry, "process_open_fds", "Open file descriptors of the process.")),
      threads_(Gauge(registry, "process_threads", "Threads of the process.")) {
  Gauge(registry, "process_start_time_seconds", "When the process began to measure, in seconds since 1970.")
      .Set(static_cast<double>(std::time(nullptr)));
}

void ProcessMetrics::Refresh() const {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  if (statm >> total >> resident)
    resident_bytes_.Set(static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const std::lock_guard lock(mutex_);
    cpu_seconds_.Increment(Seconds(usage.ru_utime) + Seconds(usage.ru_stime) - cpu_seconds_.Value());
  }
  if (const std::int64_t fds = EntriesOf("/proc/self/fd"); fds >= 0) open_fds_.Set(static_cast<double>(fds));
  if (const std::int64_t threads = EntriesOf("/proc/self/task"); threads >= 0)
    threads_.Set(static_cast<double>(threads));
}

}  // namespace warmline::telemetry
