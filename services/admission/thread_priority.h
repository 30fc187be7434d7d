// The priority of threads that work, below that of the threads that admit or refuse it: otherwise refusals wait behind
// the work that they spare. It matters only while processors are short. Thread-safety: of the calling thread.
#pragma once

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace warmline::admission {

inline constexpr int kWorkNiceness = 5;

// Lowers the priority of the calling thread, on Linux that of the thread alone. Without effect where it may not.
inline void YieldToAdmission() {
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  (void)setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + kWorkNiceness);
}

}  // namespace warmline::admission
