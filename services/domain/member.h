// Members, what they offer, and the ties and blocks between them. Values; ids are local to a pool.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/error.h"
#include "domain/interest.h"
#include "domain/types.h"

namespace warmline::domain {

struct Capacity {
  std::int32_t open_asks = 0;
  std::int32_t asks_per_week = 0;
};

struct Load {
  std::int32_t open_asks = 0;
  std::int32_t asks_this_week = 0;
  friend bool operator==(const Load&, const Load&) = default;
};

struct Offer {
  std::vector<HelpKind> help_kinds;
  Capacity capacity;
  std::vector<std::string> languages;
  std::vector<std::string> places;
  bool remote = false;
  std::vector<Reach> open_to;
  Involvement involvement = Involvement::kUnspecified;
  std::vector<Interest> seeker_interests;  // strengths unused
  bool paused = false;
  Confirmation confirmation = Confirmation::kUnconfirmed;

  // By the helper, or vouched for: only then are they matched and asked.
  [[nodiscard]] bool IsConfirmed() const {
    return confirmation == Confirmation::kSelfConfirmed || confirmation == Confirmation::kVouched;
  }
};

// Outcomes of one kind at one time.
struct Evidence {
  OutcomeKind outcome = OutcomeKind::kUnspecified;
  std::int32_t count = 1;
  absl::Time time;
  std::optional<absl::Duration> response_time;
};

struct Member {
  std::string id;
  MemberKind kind = MemberKind::kUnspecified;
  std::string display_name;
  std::vector<Interest> interests;
  std::optional<Offer> offer;
  bool introduces = false;
  std::vector<std::string> conflict_keys;
  std::vector<Evidence> evidence;
  Load load;
  std::int64_t revision = 0;  // of the last write
  absl::Time create_time;
  absl::Time update_time;
  std::int32_t thanks = 0;  // introductions through this member that helped
  std::optional<absl::Time> last_active;
  std::int32_t silent_asks = 0;  // in a row that this helper let expire
  bool suspended = false;
  std::optional<absl::Time> erase_time;  // when an unused member is erased

  // The last time that the member did something, or something was written of them.
  [[nodiscard]] absl::Time LastUsed() const { return std::max(update_time, last_active.value_or(create_time)); }
};

struct Connection {
  std::string a;  // a < b in byte order
  std::string b;
  double strength = 0.5;
  ConnectionState state = ConnectionState::kPending;
  std::string proposed_by;
  std::int64_t revision = 0;
  bool unseen = false;  // PENDING, and hidden from the side that did not propose it

  // Whether a member sees it: one side of it, or "" for an operator.
  [[nodiscard]] bool IsSeenBy(const std::string& member) const {
    return !unseen || member.empty() || member == proposed_by;
  }
};

struct Block {
  std::string blocker;
  std::string blocked;
};

// Adds every violation of a member's rules and limits (domain/limits.h), with field paths below `prefix`.
void ValidateMember(const Member& member, const std::string& prefix, Violations& violations);
void ValidateConnection(const Connection& connection, const std::string& prefix, Violations& violations);
void ValidateBlock(const Block& block, const std::string& prefix, Violations& violations);

// Adds a violation when `languages` holds something else than primary language tags, or too many of them.
void ValidateLanguages(const std::vector<std::string>& languages, const std::string& field, Violations& violations);
// The same for places: paths of `a-z 0-9 -` and letters of any script, parted by `/`.
void ValidatePlaces(const std::vector<std::string>& places, const std::string& field, Violations& violations);

// True when `serving` is `wanted` or lies above it: "de" serves "de/berlin".
[[nodiscard]] bool PlaceServes(std::string_view serving, std::string_view wanted);

}  // namespace warmline::domain
