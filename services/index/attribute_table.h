// Sets of short strings (languages, places, preferred interests), and the combinations of the three that helpers have,
// each kept once and named by a number. Number 0 is nothing at all. Thread-safety: reads from any thread under a
// base::RcuReadGuard; `Intern` by one writer at a time.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstdint>

#include "base/chunked_array.h"
#include "index/attribute_sets.h"

namespace warmline::index {

// Numbers of AttributeSets.
struct Attributes {
  std::uint32_t languages = 0;
  std::uint32_t places = 0;
  std::uint32_t preferences = 0;  // canonical interests, one of which a need must name; empty: any need

  friend bool operator==(const Attributes&, const Attributes&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Attributes& a) {
    return H::combine(std::move(h), a.languages, a.places, a.preferences);
  }
};

class AttributeTable {
 public:
  AttributeTable() { Intern({}); }

  std::uint32_t Intern(const Attributes& attributes) {
    const auto [entry, fresh] = numbers_.try_emplace(attributes, size());
    if (!fresh) return entry->second;
    entries_.Grow(entry->second + std::size_t{1});
    entries_[entry->second] = attributes;
    size_.store(entry->second + 1, std::memory_order_release);
    return entry->second;
  }
  [[nodiscard]] const Attributes& operator[](std::uint32_t number) const { return entries_[number]; }
  [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t bytes() const {
    return entries_.bytes() + numbers_.capacity() * (sizeof(Attributes) + sizeof(std::uint32_t) + 1);
  }

 private:
  base::ChunkedArray<Attributes> entries_;
  std::atomic<std::uint32_t> size_{0};
  absl::flat_hash_map<Attributes, std::uint32_t> numbers_;  // the writer's
};

}  // namespace warmline::index
