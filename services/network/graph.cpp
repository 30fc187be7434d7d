#include "network/graph.h"

#include <algorithm>

#include "base/rcu.h"

namespace warmline::network {

TieList::TieList(const Csr& csr, const MemberTable& members, std::uint32_t member, std::uint64_t sequence)
    : csr_(csr), own_(members.ties(member).Read(sequence)) {
  if (own_ != nullptr) {
    size_ = own_->size();
  } else if (member + std::size_t{1} < csr.offset.size()) {
    first_ = csr.offset[member];
    size_ = csr.offset[member + 1] - first_;
  }
}

void GraphWriter::SetOneSide(const Csr& csr, std::uint32_t from, std::uint32_t to, std::uint8_t strength,
                             std::uint64_t sequence, std::vector<std::function<void()>>& retire) {
  const TieList now(csr, members_, from, UINT64_MAX);
  std::vector<Tie> row;
  row.reserve(now.size() + 1);
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i].to != to) row.push_back(now[i]);
  }
  if (strength > 0) {
    const Tie tie{to, strength};
    const auto stronger = [&](const Tie& x, const Tie& y) {
      return x.strength != y.strength ? x.strength > y.strength : members_.Id(x.to) < members_.Id(y.to);
    };
    row.insert(std::upper_bound(row.begin(), row.end(), tie, stronger), tie);
  }
  if (members_.ties(from).Newest() == nullptr) replaced_.push_back(from);
  const auto* old = members_.ties(from).Write(std::move(row), sequence);
  if (old != nullptr) retire.emplace_back([old] { delete old; });
}

void GraphWriter::SetTie(const Csr& csr, std::uint32_t a, std::uint32_t b, std::uint8_t strength,
                         std::uint64_t sequence, std::vector<std::function<void()>>& retire) {
  const base::RcuReadGuard guard;
  SetOneSide(csr, a, b, strength, sequence, retire);
  SetOneSide(csr, b, a, strength, sequence, retire);
}

std::shared_ptr<const Csr> GraphWriter::Compact(const Csr& csr) const {
  const base::RcuReadGuard guard;
  auto compact = std::make_shared<Csr>();
  const std::uint32_t members = members_.size();
  compact->offset.reserve(members + std::size_t{1});
  for (std::uint32_t m = 0; m < members; ++m) {
    const TieList row(csr, members_, m, UINT64_MAX);
    for (std::size_t i = 0; i < row.size(); ++i) {
      compact->to.push_back(row[i].to);
      compact->strength.push_back(row[i].strength);
    }
    compact->offset.push_back(compact->to.size());
  }
  compact->to.shrink_to_fit();
  compact->strength.shrink_to_fit();
  return compact;
}

void GraphWriter::DropReplaced(std::vector<std::function<void()>>& retire) {
  for (const std::uint32_t member : replaced_) {
    const auto* old = members_.ties(member).Clear();
    if (old != nullptr) retire.emplace_back([old] { delete old; });
  }
  replaced_.clear();
}

std::shared_ptr<const Csr> GraphWriter::Build(std::span<const Edge> edges) const {
  const base::RcuReadGuard guard;
  auto csr = std::make_shared<Csr>();
  const std::uint32_t members = members_.size();
  csr->offset.assign(members + std::size_t{1}, 0);
  for (const Edge& e : edges) {
    ++csr->offset[e.a + std::size_t{1}];
    ++csr->offset[e.b + std::size_t{1}];
  }
  for (std::uint32_t m = 0; m < members; ++m) csr->offset[m + 1] += csr->offset[m];
  std::vector<Tie> ties(edges.size() * 2);
  std::vector<std::uint64_t> next(csr->offset.begin(), csr->offset.end() - 1);
  for (const Edge& e : edges) {
    ties[next[e.a]++] = {e.b, e.strength};
    ties[next[e.b]++] = {e.a, e.strength};
  }
  for (std::uint32_t m = 0; m < members; ++m) {
    std::sort(ties.begin() + static_cast<std::ptrdiff_t>(csr->offset[m]),
              ties.begin() + static_cast<std::ptrdiff_t>(csr->offset[m + 1]), [&](const Tie& x, const Tie& y) {
                return x.strength != y.strength ? x.strength > y.strength : members_.Id(x.to) < members_.Id(y.to);
              });
  }
  csr->to.reserve(ties.size());
  csr->strength.reserve(ties.size());
  for (const Tie& tie : ties) {
    csr->to.push_back(tie.to);
    csr->strength.push_back(tie.strength);
  }
  return csr;
}

}  // namespace warmline::network
