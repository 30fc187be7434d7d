// The members of a pool as the nodes of its graph: a dense number for each, and what a query needs to know of one.
// Thread-safety: reads from any thread under a base::RcuReadGuard; writes by one writer at a time, under the rules of
// base::Versioned.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/chunked_array.h"
#include "base/name_table.h"
#include "base/versioned.h"
#include "domain/member.h"
#include "network/member_facts.h"

namespace warmline::network {

// A tie as seen from one side. Strength is a level, 1..255.
struct Tie {
  std::uint32_t to = 0;
  std::uint8_t strength = 0;
};

class MemberTable {
 public:
  // The number of a member, given now if it is new; and the same, but a new member never gets a number that is free.
  std::uint32_t Intern(std::string_view id);
  std::uint32_t Append(std::string_view id);
  [[nodiscard]] std::optional<std::uint32_t> Find(std::string_view id) const { return names_.Find(id); }
  // See base::NameTable::FindByHash.
  [[nodiscard]] std::optional<std::uint32_t> FindByHash(std::uint64_t hash,
                                                        const std::function<bool(std::string_view)>& fits) const {
    return names_.FindByHash(hash, fits);
  }
  [[nodiscard]] std::string_view Id(std::uint32_t member) const { return names_.Name(member); }
  [[nodiscard]] std::uint64_t IdHash(std::uint32_t member) const { return names_.NameHash(member); }
  [[nodiscard]] std::uint32_t size() const { return names_.size(); }
  // Room for so many at once; and a number that is nobody's any longer.
  void Reserve(std::uint32_t members);
  void Skip();
  // Frees the number of a member who has no document, tie, block or ask left in any view that a reader may hold
  // (base::NameTable::Forget).
  void Forget(std::uint32_t member);
  [[nodiscard]] std::uint32_t free() const { return names_.free(); }
  // How often a number was freed: what was read of numbers is of the same members as long as this is the same.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_.load(std::memory_order_seq_cst); }

  [[nodiscard]] VersionedFacts& facts(std::uint32_t member) const { return facts_[member]; }
  // The whole list of a member's ties where it differs from the CSR base; see network/graph.h.
  [[nodiscard]] base::Versioned<std::vector<Tie>>& ties(std::uint32_t member) const { return ties_[member]; }

  // Live availability: advisory, and may be a moment old or new.
  [[nodiscard]] std::uint32_t packed_load(std::uint32_t member) const {
    return loads_[member].load(std::memory_order_relaxed);
  }
  void SetPackedLoad(std::uint32_t member, std::uint32_t packed) {
    loads_[member].store(packed, std::memory_order_relaxed);
  }
  [[nodiscard]] domain::Load load(std::uint32_t member) const;
  void SetLoad(std::uint32_t member, const domain::Load& load);

  void PrefetchId(std::uint32_t member) const { names_.PrefetchText(member); }
  // Fetches into the cache what a whole score reads of a member.
  void Prefetch(std::uint32_t member) const {
    __builtin_prefetch(&loads_[member]);
    names_.Prefetch(member);
  }

  [[nodiscard]] std::size_t id_bytes() const { return names_.bytes(); }
  // Of every member's facts and load; facts in versions of their own are apart. And of the ends of replaced ties.
  [[nodiscard]] std::size_t slot_bytes() const { return facts_.bytes() + loads_.bytes(); }
  [[nodiscard]] std::size_t tie_slot_bytes() const { return ties_.bytes(); }

 private:
  void GrowForOneMore();

  base::NameTable names_;
  base::ChunkedArray<VersionedFacts> facts_;
  base::ChunkedArray<base::Versioned<std::vector<Tie>>> ties_;
  base::ChunkedArray<std::atomic<std::uint32_t>> loads_;  // open asks, and asks this week above
  std::atomic<std::uint64_t> forgotten_{0};
};

}  // namespace warmline::network
