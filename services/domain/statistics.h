// The statistics of a pool at one generation: how many helpers have each interest, and which interests go together.
// They are frozen per generation (DESIGN section 10.5), so that an answer can be computed again. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace warmline::domain {

// At most this many related interests are kept for one.
inline constexpr int kMaxRelationsPerInterest = 8;

struct Relation {
  std::string canonical;
  std::uint8_t discount = 0;  // in units of 1/256: at most 128
};

struct InterestStatistics {
  std::string canonical;
  std::int64_t helpers = 0;
  std::vector<Relation> relations;  // by discount descending, then by name
};

struct Statistics {
  std::int64_t generation = 0;
  std::int64_t helpers = 0;
  std::vector<InterestStatistics> interests;  // by name
};

}  // namespace warmline::domain
