#include "network/neighbourhood.h"

#include <algorithm>

#include "domain/fixed_point.h"
#include "domain/limits.h"

namespace warmline::network {

std::vector<Neighbour> FindNeighbours(const Csr& csr, const MemberTable& members, std::uint32_t seeker,
                                      std::uint64_t sequence, std::uint32_t decay) {
  std::vector<Neighbour> found;
  const TieList contacts(csr, members, seeker, sequence);
  for (std::size_t i = 0; i < contacts.size(); ++i) {
    found.push_back({contacts[i].to, 1, contacts[i].strength, 0, kNobody, domain::kOne});
  }
  const std::size_t near = std::min<std::size_t>(contacts.size(), domain::kNeighbourhoodTies);
  for (std::size_t i = 0; i < near; ++i) {
    const Tie contact = contacts[i];
    const MemberFacts* facts = members.facts(contact.to).Read(sequence);
    const bool introduces = facts != nullptr && facts->introduces;
    const TieList theirs(csr, members, contact.to, sequence);
    const std::size_t count = std::min<std::size_t>(theirs.size(), domain::kNeighbourhoodTies);
    for (std::size_t j = 0; j < count; ++j) {
      if (theirs[j].to == seeker) continue;
      found.push_back({theirs[j].to, 2, contact.strength, theirs[j].strength, introduces ? contact.to : kNobody, 0});
    }
  }
  // The best way to each member first: first degree, then through an introducer by strength product, ties by the
  // introducer's id.
  std::sort(found.begin(), found.end(), [&](const Neighbour& x, const Neighbour& y) {
    if (x.member != y.member) return x.member < y.member;
    if (x.degree != y.degree) return x.degree < y.degree;
    if ((x.introducer == kNobody) != (y.introducer == kNobody)) return y.introducer == kNobody;
    if (x.introducer == kNobody) return false;
    const int product_x = x.to_contact * x.from_contact;
    const int product_y = y.to_contact * y.from_contact;
    if (product_x != product_y) return product_x > product_y;
    return x.introducer != y.introducer && members.Id(x.introducer) < members.Id(y.introducer);
  });
  found.erase(std::unique(found.begin(), found.end(),
                          [](const Neighbour& x, const Neighbour& y) { return x.member == y.member; }),
              found.end());
  for (Neighbour& n : found) {
    if (n.degree != 2) continue;
    if (n.introducer == kNobody) {
      n.to_contact = n.from_contact = 0;
      continue;
    }
    const std::uint64_t product = std::uint64_t{n.to_contact} * n.from_contact * domain::kOne / (255 * 255);
    n.closeness = static_cast<std::uint32_t>(domain::MulFloor(product, decay));
  }
  return found;
}

}  // namespace warmline::network
