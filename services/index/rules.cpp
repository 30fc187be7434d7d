#include "index/rules.h"

#include <algorithm>
#include <array>
#include <span>

#include "ranking/evidence.h"
#include "ranking/score.h"

namespace warmline::index {
namespace {

using domain::Reach;
using domain::Rule;

constexpr std::array<Rule, 15> kOrder = {Rule::kConfirmation, Rule::kHelpKind, Rule::kHelperKind, Rule::kLanguage,
                                         Rule::kPlace,        Rule::kCapacity, Rule::kBlock,      Rule::kConflict,
                                         Rule::kCoolDown,     Rule::kOpenAsk,  Rule::kPause,      Rule::kEvidence,
                                         Rule::kPreference,   Rule::kReach,    Rule::kExcluded};

bool Holds(std::span<const std::uint32_t> sorted, std::uint32_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

// Of kOrder, so many need no more than the filter.
constexpr std::size_t kFilterRules = 5;

template <typename Strings>
void FillSorted(const Strings& list, std::vector<std::string_view>& sorted) {
  sorted.assign(list.begin(), list.end());
  std::sort(sorted.begin(), sorted.end());
}

}  // namespace

void RuleChecker::Prepare(const View& view, const Query& query) {
  view_ = &view;
  query_ = &query;
  seeker_ = {};
  seeker_conflicts_.clear();
  if (query.seeker != kNone) seeker_ = view.tables->members.facts(query.seeker).Read(view.sequence);
  if (seeker_.conflict_set != 0) seeker_conflicts_ = view.tables->sets.Contents(seeker_.conflict_set);
  FillSorted(query.constraints->languages, languages_);
  own_interests_.clear();
  for (const OwnTerm& own : query.own) own_interests_.push_back(own.canonical);
  std::sort(own_interests_.begin(), own_interests_.end());
  ++query_number_;
  if (remembered_.size() < view.tables->attributes.size()) remembered_.resize(view.tables->attributes.size(), 0);
}

RuleChecker::Verdict RuleChecker::Judge(const Attributes& attributes) const {
  const AttributeSets& sets = view_->tables->sets;
  const auto& places = query_->constraints->places;
  const auto is_in = [](const std::vector<std::string_view>& sorted) {
    return [&sorted](std::string_view member) { return std::binary_search(sorted.begin(), sorted.end(), member); };
  };
  const auto is_wanted = [&](std::string_view served) {
    return std::any_of(places.begin(), places.end(),
                       [&](const std::string& wanted) { return domain::PlaceServes(served, wanted); });
  };
  Verdict verdict;
  verdict.language = languages_.empty() || sets.Any(attributes.languages, is_in(languages_));
  verdict.preference = attributes.preferences == 0 || sets.Any(attributes.preferences, is_in(own_interests_));
  verdict.place = places.empty() || sets.Any(attributes.places, is_wanted);
  return verdict;
}

RuleChecker::Verdict RuleChecker::VerdictOn(std::uint32_t attributes) {
  std::uint64_t& known = remembered_[attributes];
  if (known >> 3 != query_number_) {
    const Verdict fresh = Judge(view_->tables->attributes[attributes]);
    known = query_number_ << 3 | (fresh.language ? 1U : 0U) | (fresh.place ? 2U : 0U) | (fresh.preference ? 4U : 0U);
  }
  return {(known & 1) != 0, (known & 2) != 0, (known & 4) != 0};
}

bool RuleChecker::Conflicts(std::uint32_t member) const {
  if (seeker_conflicts_.empty()) return false;
  const network::FactsView facts = view_->tables->members.facts(member).Read(view_->sequence);
  return facts.conflict_set != 0 && Intersects(view_->tables->sets.Contents(facts.conflict_set), seeker_conflicts_);
}

std::optional<Reach> RuleChecker::ReachOf(const Candidate& candidate) {
  const auto open = [&](auto... reaches) { return (candidate.filter().open_to & (... | domain::BitOf(reaches))) != 0; };
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

bool RuleChecker::Blocks(Rule rule, const HelperFilter& filter) {
  switch (rule) {
    case Rule::kConfirmation:
      return (filter.flags & kFlagConfirmed) == 0;
    case Rule::kHelpKind:
      return (filter.help_kinds & query_->help_kinds) == 0;
    case Rule::kHelperKind: {
      if (query_->constraints->helper_kind == domain::MemberKind::kUnspecified) return false;
      const bool wants_organization = query_->constraints->helper_kind == domain::MemberKind::kOrganization;
      return wants_organization != ((filter.flags & kFlagOrganization) != 0);
    }
    case Rule::kLanguage:
      return !languages_.empty() && !VerdictOn(filter.attributes).language;
    case Rule::kPlace:
      if (query_->constraints->places.empty()) return false;
      if (query_->constraints->remote_ok && (filter.flags & kFlagRemote) != 0) return false;
      return !VerdictOn(filter.attributes).place;
    default:
      return false;
  }
}

bool RuleChecker::Blocks(Rule rule, const Candidate& candidate) {
  const HelperFilter& filter = candidate.filter();
  switch (rule) {
    case Rule::kCapacity:
      return ranking::Availability(candidate.row().open_capacity(), candidate.row().week_capacity(), candidate.load) ==
             0;
    case Rule::kBlock:
      return Holds(seeker_.blocks, candidate.member) || Holds(seeker_.blocked_by, candidate.member);
    case Rule::kConflict:
      return Conflicts(candidate.member);
    case Rule::kCoolDown:
      return Holds(seeker_.barred, network::AskBar(candidate.member, false));
    case Rule::kOpenAsk:
      return Holds(seeker_.barred, network::AskBar(candidate.member, true));
    case Rule::kPause:
      return (filter.flags & kFlagPaused) != 0;
    case Rule::kEvidence:
      return query_->gate != domain::EvidenceGate::kNone &&
             !ranking::PassesGate(query_->gate, candidate.row().evidence(), candidate.parts.helpfulness,
                                  view_->pool->policy);
    case Rule::kPreference:
      return !VerdictOn(filter.attributes).preference;
    case Rule::kReach:
      return !ReachOf(candidate).has_value();
    case Rule::kExcluded:
      return Holds(query_->excluded, candidate.member);
    default:
      return Blocks(rule, filter);
  }
}

std::optional<Rule> RuleChecker::FirstBlocking(const HelperFilter& filter) {
  for (std::size_t i = 0; i < kFilterRules; ++i) {
    if (Blocks(kOrder[i], filter)) return kOrder[i];
  }
  return std::nullopt;
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
