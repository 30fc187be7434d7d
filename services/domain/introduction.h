// An introduction: one ask of one helper, from its draft to its outcome. Values; ids are local to a pool.
// What may happen to it when is domain/introduction_moves.h; who may see what, domain/introduction_visibility.h.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/need.h"
#include "domain/pool.h"
#include "domain/types.h"

namespace warmline::domain {

// A part of the score as it was when the ask was made, in units of 2^-20.
struct AskReason {
  Part part = Part::kInterests;
  std::uint32_t value = 0;
  std::uint32_t weight = 0;
};

struct AskSharedInterest {
  std::string interest;  // as typed in the need
  std::string related;   // canonical, where the helper has a related one
  std::uint32_t contribution = 0;
  bool rare = false;
};

// What was known of the helper's help when the ask was made.
struct AskEvidence {
  std::uint32_t helped = 0;
  std::uint32_t outcomes = 0;
  std::optional<std::int64_t> last_helped_days;
};

// One question of the helper, and its answer.
struct Exchange {
  std::string question;
  absl::Time question_time;
  std::string answer;
  std::optional<absl::Time> answer_time;
};

struct Outcome {
  Audience reported_by = Audience::kUnspecified;  // kSeeker or kHelper
  OutcomeKind kind = OutcomeKind::kUnspecified;
  std::string note;
  absl::Time time;
};

struct AbuseReport {
  std::string reporter;
  std::string accused;
  std::string note;
  absl::Time time;
};

struct Introduction {
  std::string id;
  std::string ask;  // all targets of one ask share it
  std::int32_t position = 0;
  std::string seeker;
  std::string helper;
  std::string introducer;  // empty: none is needed, or the introducer was erased
  std::string need_id;
  Reach reach = Reach::kUnspecified;
  // The seeker does not learn the helper's name before the helper accepts.
  bool masked = false;
  IntroductionState state = IntroductionState::kDrafted;
  std::string message;
  std::uint64_t message_sketch = 0;  // domain/message_sketch.h
  std::uint32_t score = 0;
  std::vector<AskReason> reasons;
  std::vector<AskSharedInterest> shared_interests;
  AskEvidence evidence;
  std::optional<Showcase> showcase;
  Urgency urgency = Urgency::kNormal;
  std::vector<HelpKind> help_kinds;
  std::string introducer_note;
  std::vector<Exchange> exchanges;
  std::string decline_note;
  std::vector<Outcome> outcomes;
  std::vector<AbuseReport> reports;
  absl::Time create_time;
  std::optional<absl::Time> ask_time;      // when it left the draft
  std::optional<absl::Time> forward_time;  // when it reached the helper
  std::optional<absl::Time> answer_time;   // the helper's first answer
  // When the time to answer is over; of a draft, when it is tried again, where it had its turn and was refused.
  std::optional<absl::Time> expire_time;
  std::optional<absl::Time> end_time;
  // Until then the ask counts in the helper's week; nothing: it does not.
  std::optional<absl::Time> week_until;
  // Until then the seeker is not matched with the helper again.
  std::optional<absl::Time> cool_until;
  // What the helper's evidence holds of it, and since when; kUnspecified: nothing.
  OutcomeKind counted = OutcomeKind::kUnspecified;
  absl::Time counted_time;
  std::optional<absl::Time> erase_time;  // when one that ended long ago is erased
  std::int64_t revision = 0;
  // As it was last stored, for what the change log tells.
  bool stored_open = false;
  bool stored_cooling = false;

  // Holds a place of the helper, and bars another ask of the same two.
  [[nodiscard]] bool IsOpen() const;
  [[nodiscard]] bool HasEnded() const;
  // Whether the two may not be matched: the ask is open, or cooling down.
  [[nodiscard]] bool Bars() const { return IsOpen() || IsCooling(); }
  [[nodiscard]] bool IsCooling() const { return cool_until.has_value() && !IsOpen(); }
  // When something is due by itself: an expiry, the end of the week that it counts in, or of the cool-down.
  [[nodiscard]] std::optional<absl::Time> Due() const;
  [[nodiscard]] bool Involves(const std::string& member) const {
    return member == seeker || member == helper || member == introducer;
  }
  // How long the helper took to answer first; nothing before that.
  [[nodiscard]] std::optional<absl::Duration> ResponseTime() const;
  // The report of a side; null when it made none.
  [[nodiscard]] const Outcome* OutcomeBy(Audience side) const;
  // The two sides say opposite things.
  [[nodiscard]] bool IsDisputed() const;
};

// What the change log tells of an introduction: enough for matching and for whoever watches. The same two may have
// several, so that what bars them is counted.
struct IntroductionChanged {
  std::string id;
  std::string seeker;
  std::string helper;
  IntroductionState state = IntroductionState::kUnspecified;
  // +1, 0 or -1: how many more of the two are open, and cool down.
  int more_open = 0;
  int more_cooling = 0;
};
// How it changed since it was stored; which it is again once the change is logged (MarkStored).
[[nodiscard]] IntroductionChanged ChangeOf(const Introduction& introduction);
void MarkStored(Introduction& introduction);

// An outcome that says that the helper did help.
[[nodiscard]] constexpr bool Helps(OutcomeKind kind) {
  return kind == OutcomeKind::kHelped || kind == OutcomeKind::kInterview || kind == OutcomeKind::kHired;
}

// How long a party has to answer: by urgency, and never longer than a less urgent ask would have.
[[nodiscard]] absl::Duration TimeToAnswer(const IntroductionRules& rules, Urgency urgency);

}  // namespace warmline::domain
