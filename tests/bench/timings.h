// What every bench measures: times, or ratios of them, their mean and quantiles. One thread.
#pragma once

#include <absl/time/clock.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace warmline::bench {

class Timings {
 public:
  void Add(double us) { us_.push_back(us); }
  [[nodiscard]] std::size_t size() const { return us_.size(); }
  [[nodiscard]] double Mean() const {
    double sum = 0;
    for (const double t : us_) sum += t;
    return us_.empty() ? 0 : sum / static_cast<double>(us_.size());
  }
  [[nodiscard]] double Quantile(double q) {
    if (us_.empty()) return 0;
    std::sort(us_.begin(), us_.end());
    return us_[std::min(us_.size() - 1, static_cast<std::size_t>(q * static_cast<double>(us_.size())))];
  }

 private:
  std::vector<double> us_;
};

[[nodiscard]] inline double MicrosecondsSince(std::int64_t began_ns) {
  return static_cast<double>(absl::GetCurrentTimeNanos() - began_ns) / 1e3;
}

}  // namespace warmline::bench
