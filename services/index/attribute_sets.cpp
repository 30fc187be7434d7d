#include "index/attribute_sets.h"

#include <algorithm>

namespace warmline::index {
AttributeSets::AttributeSets() { sets_.Intern(""); }

std::uint32_t AttributeSets::Intern(std::vector<std::string> members) {
  std::sort(members.begin(), members.end());
  members.erase(std::unique(members.begin(), members.end()), members.end());
  std::string joined;
  for (const std::string& member : members) {
    if (!joined.empty()) joined += kSeparator;
    joined += member;
  }
  return sets_.Intern(joined);
}

std::vector<std::string_view> AttributeSets::Contents(std::uint32_t set) const {
  std::vector<std::string_view> members;
  (void)Any(set, [&](std::string_view member) {
    members.push_back(member);
    return false;
  });
  return members;
}

bool Intersects(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() && y != b.end()) {
    if (*x == *y) return true;
    (*x < *y) ? ++x : ++y;
  }
  return false;
}

}  // namespace warmline::index
