// A made-up community, the same on every machine for the same seed: every member follows from seed and number alone, so
// that any part can be made by itself. Thread-safety: const calls from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "domain/member.h"
#include "domain/need.h"

namespace warmline::simulation {

inline constexpr std::int64_t kMaxHelpers = 10'000'000;

enum class Mode {
  // Interests go together: a profession brings its skills and industry, a place its hobbies.
  kCorrelated,
  // Every interest is drawn by itself from one Zipf distribution: nothing to exploit.
  kAdversarial,
};

struct CommunityOptions {
  std::int64_t helpers = 1'000;
  std::uint64_t seed = 1;
  Mode mode = Mode::kCorrelated;
  int interests_per_member = 8;
  int ties_per_member = 10;
};

class Community {
 public:
  explicit Community(const CommunityOptions& options);
  // Member `h0` to `h<n-1>`; every one is a helper, open to the pool.
  [[nodiscard]] domain::Member HelperAt(std::int64_t number) const;
  // Ties of a member to members of larger number: most of them near in profession and place.
  [[nodiscard]] std::vector<domain::Connection> TiesOf(std::int64_t number) const;
  // A need of some member, with interests as people of a profession have them.
  [[nodiscard]] domain::Need NeedAt(std::int64_t number) const;

 private:
  class Random;
  [[nodiscard]] std::vector<domain::Interest> Interests(Random& random, int count) const;

  CommunityOptions options_;
  std::vector<double> profession_cdf_;
  std::vector<double> skill_cdf_;  // of the skills of one profession, by rank
  std::vector<double> hobby_cdf_;
  std::vector<double> place_cdf_;
  std::vector<double> flat_cdf_;  // of the adversarial mode
};

}  // namespace warmline::simulation
