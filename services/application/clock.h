// Port: the time of day, so that tests can hold it. Thread-safety: all calls from any thread.
#pragma once

#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <cstdint>

namespace warmline::application {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual absl::Time Now() const = 0;
};

class SystemClock : public Clock {
 public:
  [[nodiscard]] absl::Time Now() const override { return absl::Now(); }
};

// The epoch that a time falls in: hours since 1970.
[[nodiscard]] inline std::int64_t EpochHour(absl::Time time) { return absl::ToUnixSeconds(time) / 3600; }

}  // namespace warmline::application
