// Who is near a seeker: first-degree contacts, and second-degree members with the best introducer (DESIGN section 4).
// Costs at most 256 x 256 ties, whatever the hub, and one probe of a table for each; memory is reused.
// Thread-safety: one Neighbourhood belongs to one thread at a time; it reads one view, under a base::RcuReadGuard.
#pragma once

#include <cstdint>
#include <span>
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

class Neighbourhood {
 public:
  // Forgets what was there, and collects everybody near `seeker` but the seeker; with kNobody nobody. `decay` is the
  // policy's second_degree_decay.
  void Collect(const Csr& csr, const MemberTable& members, std::uint32_t seeker, std::uint64_t sequence,
               std::uint32_t decay);
  // Null when the member is not near.
  [[nodiscard]] const Neighbour* Find(std::uint32_t member) const;
  // Each once: the first degree, then the second.
  [[nodiscard]] std::span<const Neighbour> all() const { return found_; }
  [[nodiscard]] std::size_t first_degree() const { return first_degree_; }

 private:
  [[nodiscard]] std::size_t Slot(std::uint32_t member) const;
  // The entry of a member, new or known.
  Neighbour& Enter(std::uint32_t member);

  std::vector<Neighbour> found_;
  std::size_t first_degree_ = 0;
  std::vector<std::uint32_t> table_;  // open addressing: place in found_ plus one, or 0; a power of two
};

}  // namespace warmline::network
