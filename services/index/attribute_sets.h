// Sets of short strings (languages, places, conflict keys, preferred interests), each distinct set kept once and named
// by a number. Set 0 is empty. Thread-safety: `Contents` from any thread under a base::RcuReadGuard; `Intern` by one
// writer at a time.
#pragma once

#include <algorithm>
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
  // Whether any member of a set fits.
  template <typename F>
  [[nodiscard]] bool Any(std::uint32_t set, F fits) const {
    std::string_view rest = sets_.Name(set);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(kSeparator), rest.size());
      if (fits(rest.substr(0, end))) return true;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
  }
  // A set as it is kept, for a snapshot; and kept again, in the same order, or not where it was forgotten.
  [[nodiscard]] std::string_view Kept(std::uint32_t set) const { return sets_.Name(set); }
  void KeepAgain(std::string_view kept) { (void)sets_.Append(kept); }
  void Skip() { sets_.Skip(); }
  // Frees the number of a set that nothing in any view names, for another set. Set 0 stays.
  void Forget(std::uint32_t set) {
    if (set != 0) sets_.Forget(set);
  }
  [[nodiscard]] std::uint32_t size() const { return sets_.size(); }
  [[nodiscard]] std::uint32_t free() const { return sets_.free(); }
  [[nodiscard]] const std::vector<std::uint32_t>& free_numbers() const { return sets_.free_numbers(); }
  [[nodiscard]] std::size_t bytes() const { return sets_.bytes(); }

 private:
  static constexpr char kSeparator = '\x1f';  // validation keeps control characters out of the members

  base::NameTable sets_;
};

// True when two lists in byte order share a member.
[[nodiscard]] bool Intersects(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b);

}  // namespace warmline::index
