#include "index/suggest.h"

#include <algorithm>
#include <set>

#include "domain/text.h"
#include "index/held_interests.h"

namespace warmline::index {
namespace {

// A prefix matches at most this many names before the most used are chosen from them.
constexpr std::size_t kMaxPrefixMatches = 200'000;

// `data sc` and `profession: data` as they stand in canonical names.
std::string CanonicalPrefix(std::string_view typed) {
  const std::size_t colon = typed.find(':');
  if (colon == std::string_view::npos) return domain::CanonicalName(typed);
  return domain::CanonicalName(typed.substr(0, colon)) + ":" + domain::CanonicalName(typed.substr(colon + 1));
}

template <typename NameOf>
void AddMatches(const std::vector<std::uint32_t>& sorted, std::string_view prefix, NameOf name_of,
                std::set<std::uint32_t>& found) {
  auto at = std::lower_bound(sorted.begin(), sorted.end(), prefix,
                             [&](std::uint32_t term, std::string_view p) { return name_of(term) < p; });
  for (; at != sorted.end() && name_of(*at).starts_with(prefix) && found.size() < kMaxPrefixMatches; ++at)
    found.insert(*at);
}

}  // namespace

std::string_view BareName(std::string_view canonical) { return canonical.substr(canonical.find(':') + 1); }

std::vector<Suggestion> SuggestInterests(const View& view, std::string_view prefix,
                                         const std::vector<std::string>& related_to, int limit,
                                         std::int64_t exact_from) {
  const StatisticsTable& statistics = *view.statistics;
  const base::NameTable& terms = view.tables->terms;
  const auto name = [&](std::uint32_t term) { return terms.Name(term); };
  std::set<std::uint32_t> chosen;
  for (const std::string& canonical : related_to) {
    if (const auto term = terms.Find(view.pool->policy.Resolve(canonical))) chosen.insert(*term);
  }
  const std::string wanted = CanonicalPrefix(prefix);
  std::set<std::uint32_t> related;
  for (const std::uint32_t term : chosen) {
    for (const TermRelation& relation : statistics.Relations(term)) {
      if (wanted.empty() || name(relation.term).starts_with(wanted) ||
          BareName(name(relation.term)).starts_with(wanted))
        related.insert(relation.term);
    }
  }
  std::set<std::uint32_t> typed;
  if (!wanted.empty() || related_to.empty()) {
    AddMatches(statistics.by_name(), wanted, name, typed);
    if (wanted.find(':') == std::string::npos)
      AddMatches(
          statistics.by_bare_name(), wanted, [&](std::uint32_t t) { return BareName(name(t)); }, typed);
  }

  std::vector<Suggestion> result;
  HeldInterests held(view);
  const auto helpers = [&](std::uint32_t term) { return static_cast<std::int64_t>(statistics.Having(term)); };
  const auto add = [&](const std::set<std::uint32_t>& group, bool is_related) {
    std::vector<std::uint32_t> terms_of_group;
    for (const std::uint32_t term : group) {
      if (!chosen.contains(term) && statistics.Having(term) > 0 && (is_related || !related.contains(term)))
        terms_of_group.push_back(term);
    }
    std::sort(terms_of_group.begin(), terms_of_group.end(), [&](std::uint32_t x, std::uint32_t y) {
      const std::int64_t x_shown = helpers(x) < exact_from ? 0 : helpers(x);
      const std::int64_t y_shown = helpers(y) < exact_from ? 0 : helpers(y);
      return x_shown != y_shown ? x_shown > y_shown : name(x) < name(y);
    });
    // What nobody has any more is looked for among those that are shown only.
    for (const std::uint32_t term : terms_of_group) {
      if (result.size() >= static_cast<std::size_t>(limit)) return;
      if (held.Has(term)) result.push_back({std::string(name(term)), helpers(term), is_related});
    }
  };
  add(related, true);
  add(typed, false);
  return result;
}

}  // namespace warmline::index
