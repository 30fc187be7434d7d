// Sets of short strings (languages, places, preferred interests), and the combinations of the three that helpers have,
// each kept once and named by a number. Number 0 is nothing at all. Thread-safety: reads from any thread under a
// base::RcuReadGuard; everything else by one writer at a time.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstdint>
#include <vector>

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

// What stands under a number that is free.
inline constexpr Attributes kFreeAttributes = {UINT32_MAX, UINT32_MAX, UINT32_MAX};

class AttributeTable {
 public:
  AttributeTable() { Intern({}); }

  // The number of a combination, given now if it is new: one that was forgotten, or else the next.
  std::uint32_t Intern(const Attributes& attributes) {
    if (free_.empty()) return Append(attributes);
    const auto [entry, fresh] = numbers_.try_emplace(attributes, free_.back());
    if (!fresh) return entry->second;
    free_.pop_back();
    entries_[entry->second] = attributes;
    return entry->second;
  }
  // Like Intern, but a new combination gets the next number even where others are free.
  std::uint32_t Append(const Attributes& attributes) {
    const auto [entry, fresh] = numbers_.try_emplace(attributes, size());
    if (!fresh) return entry->second;
    const std::uint32_t number = entry->second;
    entries_.Grow(number + std::size_t{1});
    entries_[number] = attributes;
    size_.store(number + 1, std::memory_order_release);
    return number;
  }
  // Gives the next number to nothing: it is free.
  void Skip() {
    const std::uint32_t number = size();
    entries_.Grow(number + std::size_t{1});
    entries_[number] = kFreeAttributes;
    size_.store(number + 1, std::memory_order_release);
    free_.push_back(number);
  }
  // Frees a number that no living document of any view has, for another combination. Number 0 stays.
  void Forget(std::uint32_t number) {
    if (number == 0 || entries_[number] == kFreeAttributes) return;
    numbers_.erase(entries_[number]);
    entries_[number] = kFreeAttributes;
    free_.push_back(number);
  }
  [[nodiscard]] const Attributes& operator[](std::uint32_t number) const { return entries_[number]; }
  [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint32_t free() const { return static_cast<std::uint32_t>(free_.size()); }
  [[nodiscard]] const std::vector<std::uint32_t>& free_numbers() const { return free_; }
  [[nodiscard]] std::size_t bytes() const {
    return entries_.bytes() + numbers_.capacity() * (sizeof(Attributes) + sizeof(std::uint32_t) + 1) +
           free_.capacity() * sizeof(std::uint32_t);
  }

 private:
  base::ChunkedArray<Attributes> entries_;
  std::atomic<std::uint32_t> size_{0};
  absl::flat_hash_map<Attributes, std::uint32_t> numbers_;  // the writer's
  std::vector<std::uint32_t> free_;                         // the writer's
};

}  // namespace warmline::index
