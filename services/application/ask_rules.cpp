#include "application/ask_rules.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <iterator>

#include "application/members.h"
#include "application/pools.h"
#include "application/ties.h"
#include "domain/limits.h"
#include "domain/message_sketch.h"
#include "domain/text.h"

namespace warmline::application {
namespace {

using domain::ErrorReason;
using domain::Introduction;

std::string Day(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%MZ", time, absl::UTCTimeZone()); }

// When the oldest of those asked in the last week leaves it, so that one more fits below `limit`.
std::optional<absl::Time> WeekFrees(std::vector<absl::Time> asked, std::int64_t limit) {
  if (asked.empty() || limit <= 0) return std::nullopt;
  std::sort(asked.begin(), asked.end());
  const auto size = static_cast<std::int64_t>(asked.size());
  return asked[static_cast<std::size_t>(std::max<std::int64_t>(0, size - limit))] + kWeek;
}

std::vector<absl::Time> AskedThisWeek(const std::vector<Introduction>& asks, absl::Time now) {
  std::vector<absl::Time> asked;
  for (const Introduction& i : asks) {
    if (i.ask_time && *i.ask_time > now - kWeek) asked.push_back(*i.ask_time);
  }
  return asked;
}

Refusal NotAvailable() {
  return {ErrorReason::kHelperNotAvailable, "this helper takes no asks now: choose another match", 0, 0, std::nullopt};
}

const char* RuleText(domain::Rule rule) {
  switch (rule) {
    case domain::Rule::kConfirmation:
      return "the offer is not confirmed (RULE_CONFIRMATION)";
    case domain::Rule::kHelpKind:
      return "does not offer this kind of help (RULE_HELP_KIND)";
    case domain::Rule::kHelperKind:
      return "is not of the kind that the need asks for (RULE_HELPER_KIND)";
    case domain::Rule::kLanguage:
      return "speaks none of the need's languages (RULE_LANGUAGE)";
    case domain::Rule::kPlace:
      return "does not serve the need's places (RULE_PLACE)";
    case domain::Rule::kEvidence:
      return "has not shown enough help yet (RULE_EVIDENCE)";
    case domain::Rule::kPreference:
      return "helps seekers with other interests (RULE_PREFERENCE)";
    case domain::Rule::kReach:
      return "is not open to this seeker (RULE_REACH)";
    case domain::Rule::kExcluded:
      return "is excluded by the need (RULE_EXCLUDED)";
    default:
      return nullptr;  // decided by the store, or nobody's to see
  }
}

// Budgets of the seeker.
void AddSeekerBudgets(const std::vector<Introduction>& asks, const domain::IntroductionRules& rules, absl::Time now,
                      std::vector<Refusal>& refusals) {
  const auto open = std::count_if(asks.begin(), asks.end(), [](const Introduction& i) { return i.IsOpen(); });
  if (open >= rules.seeker_open_asks) {
    refusals.push_back({ErrorReason::kSeekerBudgetSpent,
                        absl::StrCat(open, " asks are open, of at most ", rules.seeker_open_asks,
                                     ": wait for an answer, or cancel one"),
                        rules.seeker_open_asks, open, std::nullopt});
  }
  const auto asked = AskedThisWeek(asks, now);
  const auto used = static_cast<std::int64_t>(asked.size());
  if (used >= rules.seeker_asks_per_week) {
    const auto frees = WeekFrees(asked, rules.seeker_asks_per_week);
    refusals.push_back({ErrorReason::kSeekerBudgetSpent,
                        absl::StrCat(used, " asks were made in seven days, of at most ", rules.seeker_asks_per_week,
                                     frees ? ": the next one can be made at " + Day(*frees) : ""),
                        rules.seeker_asks_per_week, used, frees});
  }
}

absl::StatusOr<std::vector<absl::Time>> AskedOf(RecordReader& reader, const std::string& pool,
                                                IntroductionQuery::Role role, const std::string& member,
                                                absl::Time now) {
  auto asked = reader.ListIntroductions(
      pool, {.role = role, .member = member, .asked_since = now - kWeek, .limit = kMaxHistory});
  if (!asked.ok()) return asked.status();
  return AskedThisWeek(*asked, now);
}

absl::Status AddCapacity(RecordReader& reader, const std::string& pool, const domain::Member& helper, absl::Time now,
                         std::vector<Refusal>& refusals) {
  const domain::Capacity& capacity = helper.offer->capacity;
  if (helper.load.open_asks >= capacity.open_asks) {
    refusals.push_back({ErrorReason::kHelperIsFull,
                        absl::StrCat("the helper holds ", helper.load.open_asks, " asks, of at most ",
                                     capacity.open_asks, ": ask again once one has ended, or choose another match"),
                        capacity.open_asks, helper.load.open_asks, std::nullopt});
  }
  if (helper.load.asks_this_week >= capacity.asks_per_week) {
    auto asked = AskedOf(reader, pool, IntroductionQuery::Role::kHelper, helper.id, now);
    if (!asked.ok()) return asked.status();
    const auto frees = WeekFrees(*asked, capacity.asks_per_week);
    refusals.push_back(
        {ErrorReason::kHelperIsFull,
         absl::StrCat("the helper was asked ", helper.load.asks_this_week, " times in seven days, of at most ",
                      capacity.asks_per_week, frees ? ": there is room again at " + Day(*frees) : ""),
         capacity.asks_per_week, helper.load.asks_this_week, frees});
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> AreTied(RecordReader& reader, const std::string& pool, const std::string& x,
                             const std::string& y) {
  auto tie = reader.GetConnection(pool, std::min(x, y), std::max(x, y));
  if (!tie.ok()) return tie.status();
  return tie->has_value() && (*tie)->state == domain::ConnectionState::kConfirmed;
}

absl::Status AddIntroducer(RecordReader& reader, const std::string& pool, const Introduction& draft,
                           const domain::IntroductionRules& rules, absl::Time now, std::vector<Refusal>& refusals) {
  const auto needed = [&](std::string text) {
    refusals.push_back({ErrorReason::kIntroducerNeeded, std::move(text), 0, 0, std::nullopt});
  };
  if (draft.reach != domain::Reach::kSecondDegree) return absl::OkStatus();
  if (draft.introducer.empty()) {
    needed("this helper is asked through a contact of both, and none of them introduces now");
    return absl::OkStatus();
  }
  auto introducer = reader.GetMember(pool, draft.introducer);
  if (!introducer.ok()) return introducer.status();
  auto near_seeker = AreTied(reader, pool, draft.seeker, draft.introducer);
  if (!near_seeker.ok()) return near_seeker.status();
  auto near_helper = AreTied(reader, pool, draft.introducer, draft.helper);
  if (!near_helper.ok()) return near_helper.status();
  if (!introducer->has_value() || !(*introducer)->introduces || (*introducer)->suspended || !*near_seeker ||
      !*near_helper) {
    needed(absl::StrCat(domain::Quoted(draft.introducer),
                        " is not a contact of both who introduces: leave it out for the strongest one"));
    return absl::OkStatus();
  }
  auto asked = AskedOf(reader, pool, IntroductionQuery::Role::kIntroducer, draft.introducer, now);
  if (!asked.ok()) return asked.status();
  const auto used = static_cast<std::int64_t>(asked->size());
  if (used < rules.introducer_asks_per_week) return absl::OkStatus();
  const auto frees = WeekFrees(*asked, rules.introducer_asks_per_week);
  refusals.push_back({ErrorReason::kIntroducerBudgetSpent,
                      absl::StrCat("the introducer was asked ", used, " times in seven days, of at most ",
                                   rules.introducer_asks_per_week,
                                   frees ? ": there is room again at " + Day(*frees) : "", ", or choose another"),
                      rules.introducer_asks_per_week, used, frees});
  return absl::OkStatus();
}

}  // namespace

absl::Status ToError(const Refusal& refusal, absl::Time now) {
  std::optional<absl::Duration> wait;
  if (refusal.free_time) wait = std::max(absl::Seconds(1), *refusal.free_time - now);
  return domain::MakeError(refusal.reason, refusal.description, wait);
}

absl::StatusOr<std::vector<Introduction>> AsksOf(RecordReader& reader, const std::string& pool,
                                                 const std::string& seeker, absl::Time now) {
  auto asks = reader.ListIntroductions(
      pool, {.role = IntroductionQuery::Role::kSeeker, .member = seeker, .bars_only = true, .limit = kMaxHistory});
  if (!asks.ok()) return asks;
  auto recent = reader.ListIntroductions(pool, {.role = IntroductionQuery::Role::kSeeker,
                                                .member = seeker,
                                                .asked_since = now - kRepeatMemory,
                                                .limit = kMaxHistory});
  if (!recent.ok()) return recent;
  for (Introduction& i : *recent) {
    if (!i.Bars()) asks->push_back(std::move(i));
  }
  return asks;
}

std::vector<Refusal> MatchRefusals(bool is_match, const std::vector<domain::Rule>& blocked_by) {
  if (!is_match) {
    return {{ErrorReason::kNotMatched,
             "this helper shares no interest with the need, and is not within two degrees: ask whom Match names", 0, 0,
             std::nullopt}};
  }
  std::vector<std::string> texts;
  for (const domain::Rule rule : blocked_by) {
    if (const char* text = RuleText(rule)) texts.emplace_back(text);
  }
  if (texts.empty()) return {};
  return {{ErrorReason::kNotMatched, absl::StrCat("this helper ", absl::StrJoin(texts, ", and ")), 0, 0, std::nullopt}};
}

std::vector<Refusal> MessageRefusals(const Introduction& draft, const std::vector<Introduction>& asks,
                                     const domain::IntroductionRules& rules, absl::Time now) {
  std::vector<Refusal> refusals;
  const int characters = domain::CountCodePoints(draft.message);
  if (characters < domain::kMinMessageCharacters || characters > domain::kMaxMessageCharacters) {
    refusals.push_back({ErrorReason::kInvalidFields,
                        absl::StrCat("message: has ", characters, " characters: write ", domain::kMinMessageCharacters,
                                     " to ", domain::kMaxMessageCharacters, ", in your own words"),
                        0, 0, std::nullopt});
  }
  for (const Introduction& i : asks) {
    if (!i.ask_time || *i.ask_time < now - kRepeatMemory) continue;
    const int distance = domain::SketchDistance(draft.message_sketch, i.message_sketch);
    if (distance > rules.repeat_distance) continue;
    refusals.push_back({ErrorReason::kMessageRepeated,
                        absl::StrCat("the message is nearly the same as one of ", Day(*i.ask_time), " (", distance,
                                     " of 64 bits differ, more than ", rules.repeat_distance,
                                     " must): say what makes you ask this helper"),
                        rules.repeat_distance, distance, *i.ask_time + kRepeatMemory});
    break;
  }
  return refusals;
}

absl::StatusOr<std::vector<Refusal>> StoreRefusals(RecordReader& reader, const std::string& pool,
                                                   const Introduction& draft, const std::vector<Introduction>& asks,
                                                   const domain::IntroductionRules& rules, absl::Time now) {
  std::vector<Refusal> refusals;
  auto seeker = FindMember(reader, pool, draft.seeker);
  if (!seeker.ok()) return seeker.status();
  auto helper = FindMember(reader, pool, draft.helper);
  if (!helper.ok()) return helper.status();
  if (seeker->suspended) {
    refusals.push_back({ErrorReason::kMemberSuspended,
                        absl::StrCat("pools/", pool, "/members/", draft.seeker,
                                     " is suspended: the pool's operators can say why, and end it"),
                        0, 0, std::nullopt});
  }
  auto blocked = IsBlocked(reader, pool, draft.seeker, draft.helper);
  if (!blocked.ok()) return blocked.status();
  const bool conflict =
      std::any_of(seeker->conflict_keys.begin(), seeker->conflict_keys.end(), [&](const std::string& key) {
        return std::find(helper->conflict_keys.begin(), helper->conflict_keys.end(), key) !=
               helper->conflict_keys.end();
      });
  if (*blocked || conflict || helper->suspended || !helper->offer || !helper->offer->IsConfirmed() ||
      helper->offer->paused)
    refusals.push_back(NotAvailable());
  for (const Introduction& i : asks) {
    if (i.helper != draft.helper || i.id == draft.id) continue;
    if (i.IsOpen()) {
      refusals.push_back({ErrorReason::kAskIsOpen,
                          absl::StrCat("pools/", pool, "/introductions/", i.id,
                                       " asks this helper already: wait for its answer, or cancel it"),
                          0, 0, std::nullopt});
    } else if (i.cool_until && *i.cool_until > now) {
      refusals.push_back({ErrorReason::kCoolingDown,
                          absl::StrCat("an ask to this helper ended a short while ago: they can be asked again at ",
                                       Day(*i.cool_until)),
                          0, 0, i.cool_until});
    }
  }
  if (helper->offer) {
    if (auto status = AddCapacity(reader, pool, *helper, now, refusals); !status.ok()) return status;
  }
  AddSeekerBudgets(asks, rules, now, refusals);
  if (auto status = AddIntroducer(reader, pool, draft, rules, now, refusals); !status.ok()) return status;
  return refusals;
}

absl::StatusOr<std::vector<Refusal>> RefusalsOf(RecordReader& reader, const std::string& pool,
                                                const PlannedTarget& target, const std::vector<Introduction>& asks,
                                                const domain::IntroductionRules& rules, absl::Time now) {
  std::vector<Refusal> refusals = MatchRefusals(target.is_match, target.blocked_by);
  auto stored = StoreRefusals(reader, pool, target.draft, asks, rules, now);
  if (!stored.ok()) return stored;
  std::move(stored->begin(), stored->end(), std::back_inserter(refusals));
  for (Refusal& r : MessageRefusals(target.draft, asks, rules, now)) refusals.push_back(std::move(r));
  return refusals;
}

absl::StatusOr<std::vector<TargetRefusal>> ReviewAsk(RecordReader& reader, const std::string& pool, const AskPlan& plan,
                                                     absl::Time now) {
  auto rules = RulesOf(reader, pool);
  if (!rules.ok()) return rules.status();
  auto asks = AsksOf(reader, pool, plan.seeker, now);
  if (!asks.ok()) return asks.status();
  std::vector<TargetRefusal> all;
  for (std::size_t i = 0; i < plan.targets.size(); ++i) {
    auto refusals = RefusalsOf(reader, pool, plan.targets[i], *asks, *rules, now);
    if (!refusals.ok()) return refusals.status();
    for (Refusal& refusal : *refusals) {
      const bool of_seeker =
          refusal.reason == ErrorReason::kSeekerBudgetSpent || refusal.reason == ErrorReason::kMemberSuspended;
      if (of_seeker && i > 0) continue;  // of the ask as a whole: said once
      all.push_back({of_seeker ? -1 : static_cast<int>(i), std::move(refusal)});
    }
  }
  return all;
}

}  // namespace warmline::application
