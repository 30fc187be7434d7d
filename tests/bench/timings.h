// What every bench measures: times, their mean and quantiles; and options from the command line. One thread.
#pragma once

#include <absl/strings/numbers.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
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

// Flags of the form --name N, and switches without a value.
class Flags {
 public:
  void Number(const std::string& name, std::int64_t* value) { numbers_.emplace_back(name, value); }
  void Switch(const std::string& name, bool* value) { switches_.emplace_back(name, value); }

  // False, with a message on stderr, when something is wrong.
  [[nodiscard]] bool Parse(int argc, char** argv) const {
    for (int i = 1; i < argc; ++i) {
      const std::string flag = argv[i];
      bool good = false;
      for (const auto& [name, value] : switches_) {
        if (name == flag) good = *value = true;
      }
      for (const auto& [name, value] : numbers_) {
        if (name == flag && i + 1 < argc) good = absl::SimpleAtoi(argv[++i], value) && *value >= 0;
      }
      if (good) continue;
      std::fprintf(stderr, "%s: %s is wrong: use", argv[0], flag.c_str());
      for (const auto& [name, value] : switches_) std::fprintf(stderr, " [%s]", name.c_str());
      for (const auto& [name, value] : numbers_) std::fprintf(stderr, " [%s N]", name.c_str());
      std::fprintf(stderr, "\n");
      return false;
    }
    return true;
  }

 private:
  std::vector<std::pair<std::string, std::int64_t*>> numbers_;
  std::vector<std::pair<std::string, bool*>> switches_;
};

}  // namespace warmline::bench
