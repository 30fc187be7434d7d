#include "network/neighbourhood.h"

#include <algorithm>
#include <bit>

#include "domain/fixed_point.h"
#include "domain/limits.h"

namespace warmline::network {
namespace {

// Whether x is the better way to one second-degree member: through an introducer, by strength product, ties by the
// introducer's id.
bool Better(const Neighbour& x, const Neighbour& y, const MemberTable& members) {
  if ((x.introducer == kNobody) != (y.introducer == kNobody)) return y.introducer == kNobody;
  if (x.introducer == kNobody) return false;
  const int product_x = x.to_contact * x.from_contact;
  const int product_y = y.to_contact * y.from_contact;
  if (product_x != product_y) return product_x > product_y;
  return x.introducer != y.introducer && members.Id(x.introducer) < members.Id(y.introducer);
}

}  // namespace

std::size_t Neighbourhood::Slot(std::uint32_t member) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = (member * std::uint64_t{0x9e3779b97f4a7c15}) >> 32 & mask;
  while (table_[at] != 0 && found_[table_[at] - 1].member != member) at = (at + 1) & mask;
  return at;
}

const Neighbour* Neighbourhood::Find(std::uint32_t member) const {
  if (found_.empty()) return nullptr;
  const std::uint32_t entry = table_[Slot(member)];
  return entry == 0 ? nullptr : &found_[entry - 1];
}

Neighbour& Neighbourhood::Enter(std::uint32_t member) {
  std::uint32_t& entry = table_[Slot(member)];
  if (entry != 0) return found_[entry - 1];
  Neighbour fresh;
  fresh.member = member;
  found_.push_back(fresh);
  entry = static_cast<std::uint32_t>(found_.size());
  return found_.back();
}

void Neighbourhood::Collect(const Csr& csr, const MemberTable& members, std::uint32_t seeker, std::uint64_t sequence,
                            std::uint32_t decay) {
  found_.clear();
  first_degree_ = 0;
  if (seeker == kNobody) return;
  const TieList contacts(csr, members, seeker, sequence);
  const std::size_t near = std::min<std::size_t>(contacts.size(), domain::kNeighbourhoodTies);
  std::size_t most = contacts.size();
  // Each contact's row lies elsewhere: where it begins is fetched for all first, then the row.
  for (std::size_t i = 0; i < near; ++i) TieList::Prefetch(csr, members, contacts[i].to);
  for (std::size_t i = 0; i < near; ++i) {
    most += std::min<std::size_t>(TieList(csr, members, contacts[i].to, sequence).size(), domain::kNeighbourhoodTies);
  }
  table_.assign(std::bit_ceil(std::max<std::size_t>(16, most * 2)), 0);

  for (std::size_t i = 0; i < contacts.size(); ++i) {
    Neighbour& contact = Enter(contacts[i].to);
    contact.degree = 1;
    contact.to_contact = contacts[i].strength;
    contact.closeness = domain::kOne;
  }
  first_degree_ = found_.size();
  for (std::size_t i = 0; i < near; ++i) TieList(csr, members, contacts[i].to, sequence).PrefetchRow();
  for (std::size_t i = 0; i < near; ++i) {
    const Tie contact = contacts[i];
    const bool introduces = members.facts(contact.to).Read(sequence).introduces;
    const TieList theirs(csr, members, contact.to, sequence);
    const std::size_t count = std::min<std::size_t>(theirs.size(), domain::kNeighbourhoodTies);
    for (std::size_t j = 0; j < count; ++j) {
      const Tie tie = theirs[j];
      if (tie.to == seeker) continue;
      Neighbour& known = Enter(tie.to);
      if (known.degree == 1) continue;
      Neighbour way;
      way.member = tie.to;
      way.degree = 2;
      if (introduces) {
        way.to_contact = contact.strength;
        way.from_contact = tie.strength;
        way.introducer = contact.to;
      }
      if (known.degree == 0 || Better(way, known, members)) known = way;
    }
  }
  for (std::size_t i = first_degree_; i < found_.size(); ++i) {
    Neighbour& n = found_[i];
    const std::uint64_t product = std::uint64_t{n.to_contact} * n.from_contact * domain::kOne / (255 * 255);
    n.closeness = static_cast<std::uint32_t>(domain::MulFloor(product, decay));
  }
}

}  // namespace warmline::network
