#include "domain/member.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <algorithm>

#include "domain/limits.h"
#include "domain/names.h"
#include "domain/text.h"

namespace warmline::domain {
namespace {

void ValidateOffer(const Offer& offer, const std::string& prefix, Violations& violations) {
  if (offer.help_kinds.empty()) violations.Add(prefix + ".help_kinds", "is empty: name at least one kind of help");
  if (offer.help_kinds.size() > kMaxHelpKinds)
    violations.Add(prefix + ".help_kinds", absl::StrCat("has more than ", kMaxHelpKinds, " entries"));
  const auto check_capacity = [&](std::int32_t value, const char* field) {
    if (value < 1 || value > kMaxCapacity) {
      violations.Add(absl::StrCat(prefix, ".capacity.", field),
                     absl::StrCat(value, " is out of range: give 1 to ", kMaxCapacity));
    }
  };
  check_capacity(offer.capacity.open_asks, "open_asks");
  check_capacity(offer.capacity.asks_per_week, "asks_per_week");
  if (offer.languages.empty()) violations.Add(prefix + ".languages", "is empty: name at least one, for example `en`");
  ValidateLanguages(offer.languages, prefix + ".languages", violations);
  ValidatePlaces(offer.places, prefix + ".places", violations);
  if (offer.open_to.empty()) violations.Add(prefix + ".open_to", "is empty: say who may ask, for example FIRST_DEGREE");
  if (offer.seeker_interests.size() > kMaxSeekerInterests) {
    violations.Add(prefix + ".seeker_interests",
                   absl::StrCat("has ", offer.seeker_interests.size(), " entries: at most ", kMaxSeekerInterests));
  } else {
    ValidateInterests(offer.seeker_interests, kMaxSeekerInterests, prefix + ".seeker_interests", violations);
  }
}

void ValidateEvidence(const Member& member, const std::string& prefix, Violations& violations) {
  if (member.evidence.size() > kMaxEvidenceEntries) {
    violations.Add(prefix + "evidence", absl::StrCat("has ", member.evidence.size(), " entries: at most ",
                                                     kMaxEvidenceEntries, "; merge old ones by month"));
    return;
  }
  for (std::size_t i = 0; i < member.evidence.size(); ++i) {
    const Evidence& e = member.evidence[i];
    const std::string at = absl::StrCat(prefix, "evidence[", i, "]");
    if (e.outcome == OutcomeKind::kUnspecified)
      violations.Add(at + ".outcome", "is unspecified: name an outcome, for example HELPED");
    if (e.count < 1 || e.count > kMaxEvidenceCount) {
      violations.Add(at + ".count", absl::StrCat(e.count, " is out of range: give 1 to ", kMaxEvidenceCount));
    }
    if (e.time < absl::UnixEpoch() || e.time > absl::FromUnixSeconds(253402300799)) {
      violations.Add(at + ".time", "is missing or out of range: give a time from 1970 to 9999");
    }
    if (e.response_time && (*e.response_time < absl::ZeroDuration() || *e.response_time > absl::Hours(24 * 3650))) {
      violations.Add(at + ".response_time", "is out of range: give 0 to 10 years");
    }
  }
}

}  // namespace

void ValidateLanguages(const std::vector<std::string>& languages, const std::string& field, Violations& violations) {
  if (languages.size() > kMaxLanguages)
    violations.Add(field, absl::StrCat("has ", languages.size(), " entries: at most ", kMaxLanguages));
  for (std::size_t i = 0; i < languages.size() && i < kMaxLanguages; ++i) {
    const std::string& tag = languages[i];
    if (tag.size() < 2 || tag.size() > 8 || !std::all_of(tag.begin(), tag.end(), absl::ascii_islower)) {
      violations.Add(
          absl::StrCat(field, "[", i, "]"),
          absl::StrCat(Quoted(tag), " is not a primary language tag in lower case: write, for example, `en`"));
    }
  }
}

void ValidatePlaces(const std::vector<std::string>& places, const std::string& field, Violations& violations) {
  if (places.size() > kMaxPlaces)
    violations.Add(field, absl::StrCat("has ", places.size(), " entries: at most ", kMaxPlaces));
  for (std::size_t i = 0; i < places.size() && i < kMaxPlaces; ++i) {
    const std::string& place = places[i];
    const std::string at = absl::StrCat(field, "[", i, "]");
    if (place.size() > kMaxPlaceBytes) {
      violations.Add(at, absl::StrCat(Quoted(place), " has ", place.size(), " bytes: at most ", kMaxPlaceBytes));
      continue;
    }
    Violations text;
    CheckText(place, at, kMaxPlaceBytes, true, false, text);
    const bool canonical = text.empty() && CanonicalName(place) == place;
    if (!canonical || place.front() == '/' || place.back() == '/' || place.find("//") != std::string::npos) {
      violations.Add(
          at, absl::StrCat(Quoted(place), " is not a place path in lower case: write, for example, `de/berlin`"));
    }
  }
}

bool PlaceServes(std::string_view serving, std::string_view wanted) {
  return wanted.substr(0, serving.size()) == serving &&
         (wanted.size() == serving.size() || wanted[serving.size()] == '/');
}

void ValidateMember(const Member& member, const std::string& prefix, Violations& violations) {
  ValidateId(member.id, prefix + "name", violations);
  if (member.kind == MemberKind::kUnspecified)
    violations.Add(prefix + "kind", "is unspecified: PERSON or ORGANIZATION");
  CheckText(member.display_name, prefix + "display_name", kMaxDisplayNameCharacters, true, false, violations);
  ValidateInterests(member.interests, kMaxInterestsPerMember, prefix + "interests", violations);
  if (member.offer) ValidateOffer(*member.offer, prefix + "offer", violations);
  if (member.conflict_keys.size() > kMaxConflictKeys) {
    violations.Add(prefix + "conflict_keys",
                   absl::StrCat("has ", member.conflict_keys.size(), " entries: at most ", kMaxConflictKeys));
  }
  for (std::size_t i = 0; i < member.conflict_keys.size() && i < kMaxConflictKeys; ++i) {
    CheckText(member.conflict_keys[i], absl::StrCat(prefix, "conflict_keys[", i, "]"), kMaxConflictKeyBytes, true,
              false, violations);
  }
  ValidateEvidence(member, prefix, violations);
  if (member.load.open_asks < 0 || member.load.open_asks > kMaxCapacity || member.load.asks_this_week < 0 ||
      member.load.asks_this_week > kMaxCapacity) {
    violations.Add(prefix + "load", absl::StrCat("is out of range: give 0 to ", kMaxCapacity));
  }
}

void ValidateConnection(const Connection& connection, const std::string& prefix, Violations& violations) {
  ValidateId(connection.a, prefix + "member_a", violations);
  ValidateId(connection.b, prefix + "member_b", violations);
  if (connection.a == connection.b)
    violations.Add(prefix + "member_b",
                   absl::StrCat(Quoted(connection.b), " is the same as member_a: a tie joins two members"));
  if (!(connection.strength > 0.0 && connection.strength <= 1.0)) {
    violations.Add(prefix + "strength",
                   absl::StrCat(connection.strength, " is out of range: give more than 0 and at most 1"));
  }
}

void ValidateBlock(const Block& block, const std::string& prefix, Violations& violations) {
  ValidateId(block.blocker, prefix + "blocker", violations);
  ValidateId(block.blocked, prefix + "blocked", violations);
  if (block.blocker == block.blocked)
    violations.Add(prefix + "blocked", absl::StrCat(Quoted(block.blocked), " is the blocker: block another member"));
}

}  // namespace warmline::domain
