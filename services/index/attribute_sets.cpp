#include "index/attribute_sets.h"

#include <algorithm>

namespace warmline::index {
namespace {
constexpr char kSeparator = '\x1f';  // validation keeps control characters out of the members
}

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
  std::string_view rest = sets_.Name(set);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(kSeparator), rest.size());
    members.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
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
