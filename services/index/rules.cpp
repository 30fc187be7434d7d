#include "index/rules.h"

#include <algorithm>

#include "ranking/evidence.h"
#include "ranking/score.h"

namespace warmline::index {
namespace {

using domain::Reach;
using domain::Rule;

constexpr std::array<Rule, 13> kOrder = {Rule::kConfirmation, Rule::kHelpKind, Rule::kHelperKind, Rule::kLanguage,
                                         Rule::kPlace,        Rule::kCapacity, Rule::kBlock,      Rule::kConflict,
                                         Rule::kPause,        Rule::kEvidence, Rule::kPreference, Rule::kReach,
                                         Rule::kExcluded};

bool Holds(const std::vector<std::uint32_t>& sorted, std::uint32_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

template <typename Verdicts, typename Decide>
bool Remembered(Verdicts& verdicts, std::uint32_t set, Decide decide) {
  const auto [entry, fresh] = verdicts.try_emplace(set, false);
  if (fresh) entry->second = decide();
  return entry->second;
}

std::vector<std::string_view> SortedViews(const std::vector<std::string>& list) {
  std::vector<std::string_view> views(list.begin(), list.end());
  std::sort(views.begin(), views.end());
  return views;
}

}  // namespace

RuleChecker::RuleChecker(const View& view, const Query& query)
    : view_(view), query_(query), languages_(SortedViews(query.constraints.languages)) {
  if (query.seeker != kNone) seeker_ = view.tables->members.facts(query.seeker).Read(view.sequence);
  if (seeker_ != nullptr) seeker_conflicts_ = view.tables->sets.Contents(seeker_->conflict_set);
  for (const OwnTerm& own : query.own) own_interests_.emplace_back(own.canonical);
  std::sort(own_interests_.begin(), own_interests_.end());
}

bool RuleChecker::LanguageFits(std::uint32_t set) {
  if (languages_.empty()) return true;
  return Remembered(language_verdicts_, set, [&] { return Intersects(view_.tables->sets.Contents(set), languages_); });
}

bool RuleChecker::PlaceFits(const HelperDocument& document) {
  const auto& wanted = query_.constraints.places;
  if (wanted.empty()) return true;
  if (query_.constraints.remote_ok && (document.flags & kFlagRemote) != 0) return true;
  return Remembered(place_verdicts_, document.places, [&] {
    const auto served = view_.tables->sets.Contents(document.places);
    return std::any_of(served.begin(), served.end(), [&](std::string_view s) {
      return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& w) { return domain::PlaceServes(s, w); });
    });
  });
}

bool RuleChecker::PreferenceFits(std::uint32_t set) {
  if (set == 0) return true;
  return Remembered(preference_verdicts_, set,
                    [&] { return Intersects(view_.tables->sets.Contents(set), own_interests_); });
}

bool RuleChecker::Conflicts(std::uint32_t member) const {
  if (seeker_conflicts_.empty()) return false;
  const network::MemberFacts* facts = view_.tables->members.facts(member).Read(view_.sequence);
  return facts != nullptr && facts->conflict_set != 0 &&
         Intersects(view_.tables->sets.Contents(facts->conflict_set), seeker_conflicts_);
}

std::optional<Reach> RuleChecker::ReachOf(const Candidate& candidate) {
  const auto open = [&](auto... reaches) {
    return (candidate.document->open_to & (... | domain::BitOf(reaches))) != 0;
  };
  const network::Neighbour* near = candidate.neighbour;
  if (near != nullptr && near->degree == 1 && open(Reach::kFirstDegree, Reach::kSecondDegree, Reach::kPool))
    return Reach::kFirstDegree;
  if (near != nullptr && near->degree == 2 && near->introducer != network::kNobody &&
      open(Reach::kSecondDegree, Reach::kPool))
    return Reach::kSecondDegree;
  if (candidate.shares_rare_interest && open(Reach::kCircle, Reach::kPool)) return Reach::kCircle;
  if (open(Reach::kPool)) return Reach::kPool;
  return std::nullopt;
}

bool RuleChecker::Blocks(Rule rule, const Candidate& candidate) {
  const HelperDocument& d = *candidate.document;
  switch (rule) {
    case Rule::kConfirmation:
      return (d.flags & kFlagConfirmed) == 0;
    case Rule::kHelpKind:
      return (d.help_kinds & query_.help_kinds) == 0;
    case Rule::kHelperKind: {
      if (query_.constraints.helper_kind == domain::MemberKind::kUnspecified) return false;
      const bool wants_organization = query_.constraints.helper_kind == domain::MemberKind::kOrganization;
      return wants_organization != ((d.flags & kFlagOrganization) != 0);
    }
    case Rule::kLanguage:
      return !LanguageFits(d.languages);
    case Rule::kPlace:
      return !PlaceFits(d);
    case Rule::kCapacity:
      return ranking::Availability(d.open_capacity, d.week_capacity, candidate.load) == 0;
    case Rule::kBlock:
      return seeker_ != nullptr && (Holds(seeker_->blocks, d.member) || Holds(seeker_->blocked_by, d.member));
    case Rule::kConflict:
      return Conflicts(d.member);
    case Rule::kPause:
      return (d.flags & kFlagPaused) != 0;
    case Rule::kEvidence:
      return !ranking::PassesGate(query_.gate, d.evidence, candidate.parts->helpfulness, view_.pool->policy);
    case Rule::kPreference:
      return !PreferenceFits(d.preferences);
    case Rule::kReach:
      return !ReachOf(candidate).has_value();
    case Rule::kExcluded:
      return Holds(query_.excluded, d.member);
    case Rule::kUnspecified:
    case Rule::kNotAvailable:
      break;
  }
  return false;
}

std::optional<Rule> RuleChecker::FirstBlocking(const Candidate& candidate) {
  for (const Rule rule : kOrder) {
    if (Blocks(rule, candidate)) return rule;
  }
  return std::nullopt;
}

std::vector<Rule> RuleChecker::AllBlocking(const Candidate& candidate) {
  std::vector<Rule> blocking;
  for (const Rule rule : kOrder) {
    if (Blocks(rule, candidate)) blocking.push_back(rule);
  }
  return blocking;
}

}  // namespace warmline::index
