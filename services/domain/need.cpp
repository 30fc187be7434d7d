#include "domain/need.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>

#include "base/hash.h"
#include "domain/limits.h"
#include "domain/member.h"
#include "domain/names.h"
#include "domain/text.h"

namespace warmline::domain {
namespace {

void ValidateShowcase(const Showcase& showcase, const std::string& prefix, Violations& violations) {
  CheckText(showcase.title, prefix + ".title", kMaxShowcaseTitleCharacters, true, false, violations);
  CheckText(showcase.description, prefix + ".description", kMaxShowcaseDescriptionCharacters, false, true, violations);
  if (showcase.url.empty()) return;
  CheckText(showcase.url, prefix + ".url", kMaxShowcaseUrlBytes, false, false, violations);
  if (!absl::StartsWith(showcase.url, "https://") && !absl::StartsWith(showcase.url, "http://")) {
    violations.Add(prefix + ".url", absl::StrCat(Quoted(showcase.url), " is not a web address: begin with https://"));
  }
}

}  // namespace

void ValidateNeed(const Need& need, const std::string& prefix, Violations& violations) {
  if (!need.id.empty()) ValidateId(need.id, prefix + "name", violations);
  ValidateId(need.seeker, prefix + "seeker", violations);
  if (need.help_kinds.empty())
    violations.Add(prefix + "help_kinds", "is empty: name at least one kind of help, for example ADVICE");
  if (need.help_kinds.size() > kMaxHelpKinds)
    violations.Add(prefix + "help_kinds", absl::StrCat("has more than ", kMaxHelpKinds, " entries"));
  if (need.interests.empty())
    violations.Add(prefix + "interests", "is empty: name at least one, for example `profession:nurse`");
  ValidateInterests(need.interests, kMaxInterestsPerNeed, prefix + "interests", violations);
  ValidateLanguages(need.constraints.languages, prefix + "constraints.languages", violations);
  ValidatePlaces(need.constraints.places, prefix + "constraints.places", violations);
  if (need.constraints.exclude_members.size() > kMaxExcludedMembers) {
    violations.Add(prefix + "constraints.exclude_members", absl::StrCat("has ", need.constraints.exclude_members.size(),
                                                                        " entries: at most ", kMaxExcludedMembers));
  }
  if (need.relaxations.size() > kMaxRelaxations) {
    violations.Add(prefix + "relaxations",
                   absl::StrCat("has ", need.relaxations.size(), " entries: at most ", kMaxRelaxations));
  }
  for (std::size_t i = 0; i < need.relaxations.size(); ++i) {
    const std::string at = absl::StrCat(prefix, "relaxations[", i, "]");
    if (need.relaxations[i].after <= absl::ZeroDuration())
      violations.Add(at + ".after", "is not a positive time: say after how long");
    if (need.relaxations[i].drop.empty())
      violations.Add(at + ".drop", "is empty: name the constraint that no longer binds");
  }
  if (need.showcase) ValidateShowcase(*need.showcase, prefix + "showcase", violations);
}

std::vector<SoftConstraint> DroppedConstraints(const Need& need, absl::Duration waited) {
  std::vector<SoftConstraint> dropped;
  for (const Relaxation& step : need.relaxations) {
    if (waited >= step.after) dropped.insert(dropped.end(), step.drop.begin(), step.drop.end());
  }
  std::sort(dropped.begin(), dropped.end());
  dropped.erase(std::unique(dropped.begin(), dropped.end()), dropped.end());
  return dropped;
}

NeedConstraints WithoutConstraints(const NeedConstraints& constraints, const std::vector<SoftConstraint>& dropped) {
  NeedConstraints result = constraints;
  for (const SoftConstraint constraint : dropped) {
    switch (constraint) {
      case SoftConstraint::kLanguage:
        result.languages.clear();
        break;
      case SoftConstraint::kPlace:
        result.places.clear();
        break;
      case SoftConstraint::kHelperKind:
        result.helper_kind = MemberKind::kUnspecified;
        break;
      case SoftConstraint::kEvidence:
        result.evidence_gate = EvidenceGate::kNone;
        break;
      case SoftConstraint::kUnspecified:
        break;
    }
  }
  return result;
}

std::string InlineNeedId(const Need& need) {
  std::string content = absl::StrCat(need.seeker, "\n", static_cast<int>(need.urgency), "\n");
  for (const HelpKind kind : need.help_kinds) absl::StrAppend(&content, static_cast<int>(kind), ",");
  for (const Interest& i : need.interests) absl::StrAppend(&content, "\n", i.canonical, " ", StrengthLevel(i.strength));
  const NeedConstraints& c = need.constraints;
  absl::StrAppend(&content, "\n", c.remote_ok, static_cast<int>(c.helper_kind), static_cast<int>(c.evidence_gate));
  for (const auto* list : {&c.languages, &c.places, &c.exclude_members}) {
    absl::StrAppend(&content, "\n");
    for (const std::string& entry : *list) absl::StrAppend(&content, entry, ",");
  }
  return absl::StrCat("inline-", absl::Hex(base::Hash64(content), absl::kZeroPad16));
}

}  // namespace warmline::domain
