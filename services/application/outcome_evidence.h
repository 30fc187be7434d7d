// From outcomes to a helper's evidence, and the resistance to gaming it (docs/introductions.md, "Evidence"): one pair
// counts once in a period, and help that goes round in a ring counts for nobody in it. Inside a write transaction.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "application/record_store.h"
#include "domain/introduction.h"

namespace warmline::application {

// The longest ring that is looked for, and how many of a member's praises are followed.
inline constexpr int kMaxRing = 4;
inline constexpr int kMaxPraisesFollowed = 64;

// Puts `kind` into the helper's evidence as what came of the introduction, in place of what it held of it before;
// kUnspecified takes it out. `helper` and `introduction` are changed, and left to the caller to store; whoever else is
// concerned (the introducer's thanks, the members of a ring) is stored here.
[[nodiscard]] absl::Status CountOutcome(WriteTransaction& tx, const std::string& pool,
                                        const domain::IntroductionRules& rules, domain::OutcomeKind kind,
                                        absl::Time now, domain::Introduction& introduction, domain::Member& helper);

// Adds one entry; past domain::kMaxEvidenceEntries the two of one kind that are nearest in time become one.
void AddEvidence(domain::Member& member, domain::OutcomeKind kind, absl::Time time,
                 std::optional<absl::Duration> response_time);
// Takes one outcome out again: of that kind, at that time, or else of the entry nearest to it.
void RemoveEvidence(domain::Member& member, domain::OutcomeKind kind, absl::Time time);

}  // namespace warmline::application
