// Options of a bench from its command line. One thread.
#pragma once

#include <absl/strings/numbers.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace warmline::bench {

// What every bench takes.
struct CommonOptions {
  bool json = false;
  bool quick = false;
  std::int64_t helpers = 1'000'000;
  std::int64_t seed = 1;
};

// Flags of the form --name N, and switches without a value.
class Flags {
 public:
  explicit Flags(CommonOptions& options) {
    Switch("--json", &options.json);
    Switch("--quick", &options.quick);
    Number("--helpers", &options.helpers);
    Number("--seed", &options.seed);
  }
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
