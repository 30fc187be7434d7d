// Who is near a seeker: first-degree contacts, and second-degree members with the best introducer (DESIGN section 4).
// Costs at most 256 x 256 ties, whatever the hub. Thread-safety: pure over one view, under a base::RcuReadGuard.
#pragma once

#include <cstdint>
#include <vector>

#include "network/graph.h"

namespace warmline::network {

inline constexpr std::uint32_t kNobody = UINT32_MAX;

struct Neighbour {
  std::uint32_t member = 0;
  std::uint8_t degree = 0;             // 1 or 2
  std::uint8_t to_contact = 0;         // level of the tie from the seeker: to the member, or to the introducer
  std::uint8_t from_contact = 0;       // degree 2: level of the tie from the introducer to the member
  std::uint32_t introducer = kNobody;  // degree 2: the best one who introduces; kNobody when none of the contacts does
  std::uint32_t closeness = 0;         // units of 2^-20
};

// In order of member number, each once; the seeker is not among them. `decay` is the policy's second_degree_decay.
[[nodiscard]] std::vector<Neighbour> FindNeighbours(const Csr& csr, const MemberTable& members, std::uint32_t seeker,
                                                    std::uint64_t sequence, std::uint32_t decay);

}  // namespace warmline::network
