#include "domain/introduction.h"

#include <algorithm>

namespace warmline::domain {

bool Introduction::IsOpen() const {
  return state == IntroductionState::kAwaitingIntroducer || state == IntroductionState::kAwaitingHelper ||
         state == IntroductionState::kAwaitingSeeker || state == IntroductionState::kAccepted;
}

bool Introduction::HasEnded() const { return state >= IntroductionState::kConcluded; }

std::optional<absl::Time> Introduction::Due() const {
  std::optional<absl::Time> due;
  for (const auto& time : {HasEnded() ? std::nullopt : expire_time, week_until, cool_until}) {
    if (time && (!due || *time < *due)) due = time;
  }
  return due;
}

std::optional<absl::Duration> Introduction::ResponseTime() const {
  if (!forward_time || !answer_time) return std::nullopt;
  return std::max(absl::ZeroDuration(), *answer_time - *forward_time);
}

const Outcome* Introduction::OutcomeBy(Audience side) const {
  const auto found =
      std::find_if(outcomes.begin(), outcomes.end(), [&](const Outcome& o) { return o.reported_by == side; });
  return found == outcomes.end() ? nullptr : &*found;
}

bool Introduction::IsDisputed() const {
  const Outcome* seeker = OutcomeBy(Audience::kSeeker);
  const Outcome* helper = OutcomeBy(Audience::kHelper);
  return seeker != nullptr && helper != nullptr && Helps(seeker->kind) != Helps(helper->kind);
}

IntroductionChanged ChangeOf(const Introduction& introduction) {
  const auto more = [](bool now, bool before) { return (now ? 1 : 0) - (before ? 1 : 0); };
  return {introduction.id,
          introduction.seeker,
          introduction.helper,
          introduction.state,
          more(introduction.IsOpen(), introduction.stored_open),
          more(introduction.IsCooling(), introduction.stored_cooling)};
}

void MarkStored(Introduction& introduction) {
  introduction.stored_open = introduction.IsOpen();
  introduction.stored_cooling = introduction.IsCooling();
}

absl::Duration TimeToAnswer(const IntroductionRules& rules, Urgency urgency) {
  absl::Duration time = rules.expiry[static_cast<std::size_t>(Urgency::kLow)];
  for (auto u = static_cast<std::size_t>(Urgency::kLow); u <= static_cast<std::size_t>(urgency); ++u)
    time = std::min(time, rules.expiry[u]);
  return time;
}

}  // namespace warmline::domain
