// A need: what a seeker asks for now. Values; ids are local to a pool.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "domain/error.h"
#include "domain/interest.h"
#include "domain/types.h"

namespace warmline::domain {

struct NeedConstraints {
  std::vector<std::string> languages;
  std::vector<std::string> places;
  bool remote_ok = false;
  MemberKind helper_kind = MemberKind::kUnspecified;
  EvidenceGate evidence_gate = EvidenceGate::kUnspecified;
  std::vector<std::string> exclude_members;  // ids
};

struct Relaxation {
  absl::Duration after;
  std::vector<SoftConstraint> drop;
};

struct Showcase {
  std::string title;
  std::string description;
  std::string url;
};

struct Need {
  std::string id;
  std::string seeker;
  std::vector<HelpKind> help_kinds;
  std::vector<Interest> interests;
  Urgency urgency = Urgency::kNormal;
  std::optional<absl::Time> deadline;
  NeedConstraints constraints;
  std::vector<Relaxation> relaxations;
  std::optional<Showcase> showcase;
  NeedState state = NeedState::kOpen;
  CloseReason close_reason = CloseReason::kUnspecified;
  std::int64_t revision = 0;
  absl::Time create_time;
};

// Adds every violation of a need's rules and limits (domain/limits.h), with field paths below `prefix`.
void ValidateNeed(const Need& need, const std::string& prefix, Violations& violations);

// What is dropped of a need's constraints after `waited`, by the steps that the need itself states, in order of number.
[[nodiscard]] std::vector<SoftConstraint> DroppedConstraints(const Need& need, absl::Duration waited);
// The constraints of a need without those.
[[nodiscard]] NeedConstraints WithoutConstraints(const NeedConstraints& constraints,
                                                 const std::vector<SoftConstraint>& dropped);

// The id of an inline need: `inline-` and 16 hexadecimal digits of a stable hash over what it asks for.
[[nodiscard]] std::string InlineNeedId(const Need& need);

}  // namespace warmline::domain
