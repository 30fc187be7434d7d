// The connection graph: compressed sparse rows for the most part, and whole replaced rows for members whose ties
// changed since. A row is ordered by strength descending, then by member id. Ownership: a Csr is immutable and shared
// by views. Thread-safety: reads from any thread under a base::RcuReadGuard; `GraphWriter` by one writer at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "network/member_table.h"

namespace warmline::network {

// Row m is to[offset[m]..offset[m+1]); members past the end have no ties.
struct Csr {
  std::vector<std::uint64_t> offset = {0};
  std::vector<std::uint32_t> to;
  std::vector<std::uint8_t> strength;

  [[nodiscard]] std::size_t bytes() const { return offset.size() * 8 + to.size() * 5; }
};

// A member's ties at one view: either a row of the CSR or a list of its own.
class TieList {
 public:
  TieList(const Csr& csr, const MemberTable& members, std::uint32_t member, std::uint64_t sequence);
  // Fetches into the cache where a member's ties begin; and, then, the first of them.
  static void Prefetch(const Csr& csr, const MemberTable& members, std::uint32_t member) {
    __builtin_prefetch(&members.ties(member));
    __builtin_prefetch(&members.facts(member));
    if (member + std::size_t{1} < csr.offset.size()) __builtin_prefetch(&csr.offset[member]);
  }
  void PrefetchRow() const {
    if (own_ != nullptr || size_ == 0) return;
    for (std::size_t i = 0; i < size_ && i < 256; i += 16) __builtin_prefetch(&csr_.to[first_ + i]);
    __builtin_prefetch(&csr_.strength[first_]);
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Tie operator[](std::size_t i) const {
    return own_ != nullptr ? (*own_)[i] : Tie{csr_.to[first_ + i], csr_.strength[first_ + i]};
  }

 private:
  const Csr& csr_;
  const std::vector<Tie>* own_;
  std::uint64_t first_ = 0;
  std::size_t size_ = 0;
};

// Collects changes of ties for one batch and writes them as replaced rows.
class GraphWriter {
 public:
  explicit GraphWriter(MemberTable& members) : members_(members) {}

  // Adds or replaces the tie between two members; removes it with strength 0.
  void SetTie(const Csr& csr, std::uint32_t a, std::uint32_t b, std::uint8_t strength, std::uint64_t sequence,
              std::vector<std::function<void()>>& retire);
  // Rows that stand beside the CSR.
  [[nodiscard]] const std::vector<std::uint32_t>& replaced() const { return replaced_; }
  // The CSR of all ties as the writer sees them.
  [[nodiscard]] std::shared_ptr<const Csr> Compact(const Csr& csr) const;
  // Drops replaced rows, once every reader sees the compacted CSR.
  void DropReplaced(std::vector<std::function<void()>>& retire);
  // The CSR of a whole list of ties, each named once.
  struct Edge {
    std::uint32_t a;
    std::uint32_t b;
    std::uint8_t strength;
  };
  [[nodiscard]] std::shared_ptr<const Csr> Build(std::span<const Edge> edges) const;

 private:
  void SetOneSide(const Csr& csr, std::uint32_t from, std::uint32_t to, std::uint8_t strength, std::uint64_t sequence,
                  std::vector<std::function<void()>>& retire);

  MemberTable& members_;
  std::vector<std::uint32_t> replaced_;
};

}  // namespace warmline::network
