// Random pools that reach every rule, tie and edge: small vocabularies, so that members share interests, places and
// blocks. The same seed gives the same pool. One thread.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "domain/change.h"
#include "support/oracle.h"

namespace warmline::testing {

class RandomWorld {
 public:
  explicit RandomWorld(std::uint64_t seed) : random_(seed) {}

  // A policy with random weights, gates, synonyms and half-life.
  [[nodiscard]] domain::Policy Policy();
  [[nodiscard]] domain::Member Member(const std::string& id);
  [[nodiscard]] domain::Connection Connection(const std::vector<std::string>& ids);
  [[nodiscard]] domain::Block Block(const std::vector<std::string>& ids);
  [[nodiscard]] domain::Need Need(const std::string& id, const std::vector<std::string>& ids);

  // In [0, n).
  [[nodiscard]] int Below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  [[nodiscard]] bool Chance(int percent) { return Below(100) < percent; }

  static constexpr std::int64_t kEpochHour = 490'000;

 private:
  [[nodiscard]] std::vector<domain::Interest> Interests(int at_most);
  [[nodiscard]] std::vector<std::string> Some(const std::vector<std::string>& of, int percent);

  std::mt19937_64 random_;
};

}  // namespace warmline::testing
