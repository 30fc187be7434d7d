// Sets of short strings (languages, places, conflict keys, preferred interests), each distinct set kept once and named
// by a number. Set 0 is empty. Thread-safety: `Contents` from any thread under a base::RcuReadGuard; `Intern` by one
// writer at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_table.h"

namespace warmline::index {

class AttributeSets {
 public:
  AttributeSets();
  // The number of a set; order and repetition do not matter. No member may hold a control character.
  std::uint32_t Intern(std::vector<std::string> members);
  // The members of a set, in byte order; the views live as long as the caller's guard.
  [[nodiscard]] std::vector<std::string_view> Contents(std::uint32_t set) const;
  [[nodiscard]] std::size_t bytes() const { return sets_.bytes(); }

 private:
  base::NameTable sets_;
};

// True when two lists in byte order share a member.
[[nodiscard]] bool Intersects(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b);

}  // namespace warmline::index
