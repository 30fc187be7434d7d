#include "simulation/market_people.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"

namespace warmline::simulation {
namespace {

// What is assumed of people: docs/matching.md has the same table.
constexpr double kAbleShare = 0.15;
constexpr absl::Duration kAbleLook = absl::Hours(30);
constexpr absl::Duration kIntroducerLook = absl::Hours(24);
constexpr absl::Duration kOtherLook = absl::Hours(96);
constexpr double kAbleAccepts = 0.75;
constexpr double kAbleDeclines = 0.15;  // the rest is left without an answer
constexpr double kOtherAccepts = 0.12;
constexpr double kOtherDeclines = 0.13;
constexpr std::int64_t kAsksWithPatience = 2;  // a week; past that, all are answered less
constexpr double kAbleHelps = 0.75;
constexpr double kOtherHelps = 0.10;
constexpr double kIntroducerForwards = 0.8;
constexpr double kReportsOutcome = 0.7;

}  // namespace

MarketPeople::MarketPeople(const MarketOptions& options)
    : options_(options), community_({.helpers = 2 * options.members, .seed = options.seed, .ties_per_member = 10}) {}

double MarketPeople::Draw(std::string_view purpose, std::string_view who, std::uint64_t what) const {
  const std::uint64_t mixed =
      base::Mix64(base::Hash64(purpose) ^ base::Mix64(base::Hash64(who) ^ base::Mix64(options_.seed ^ what << 32)));
  return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

domain::Member MarketPeople::MemberAt(std::int64_t number, absl::Time now) const {
  domain::Member member = community_.HelperAt(number);
  member.evidence.clear();
  member.load = {};
  member.create_time = now;
  member.update_time = now;
  domain::Offer& offer = *member.offer;
  // What people say of the asks that they would take does not depend on whether they help.
  const double room = Draw("room", member.id);
  offer.capacity = {1 + static_cast<std::int32_t>(room * 3), 1 + static_cast<std::int32_t>(room * 3)};
  const double door = Draw("door", member.id);
  if (door < 0.3) {
    offer.open_to = {domain::Reach::kSecondDegree};
  } else if (door < 0.6) {
    offer.open_to = {domain::Reach::kSecondDegree, domain::Reach::kCircle};
  }
  if (options_.without == Without::kEverything) {
    offer.open_to = {domain::Reach::kPool};
    offer.capacity = {10'000, 10'000};
  }
  return member;
}

domain::Need MarketPeople::NeedAt(std::int64_t number, std::int64_t members) const {
  domain::Need need = community_.NeedAt(number);
  need.id = absl::StrCat("n", number);
  need.seeker = absl::StrCat("h", static_cast<std::int64_t>(Draw("seeker", need.id) * static_cast<double>(members)));
  return need;
}

bool MarketPeople::IsAble(std::string_view member) const { return Draw("able", member) < kAbleShare; }

absl::Duration MarketPeople::TimeToLook(std::string_view member, std::uint64_t look) const {
  const absl::Duration mean = IsAble(member) ? kAbleLook : kOtherLook;
  return -std::log1p(-Draw("look", member, look)) * mean;
}

Reply MarketPeople::ReplyTo(std::string_view helper, std::string_view ask, std::int64_t asks_this_week) const {
  const bool able = IsAble(helper);
  const double patience =
      static_cast<double>(kAsksWithPatience) / static_cast<double>(std::max(kAsksWithPatience, asks_this_week));
  // A draw that grows with impatience is as good as shares that shrink with it.
  const double draw = Draw("reply", ask) / patience;
  const double accepts = able ? kAbleAccepts : kOtherAccepts;
  if (draw < accepts) return Reply::kAccept;
  return draw < accepts + (able ? kAbleDeclines : kOtherDeclines) ? Reply::kDecline : Reply::kIgnore;
}

bool MarketPeople::Forwards(std::string_view ask) const { return Draw("forward", ask) < kIntroducerForwards; }

absl::Duration MarketPeople::TimeToForward(std::string_view ask) const {
  return -std::log1p(-Draw("forward time", ask)) * kIntroducerLook;
}

bool MarketPeople::Helps(std::string_view helper, std::string_view ask) const {
  return Draw("help", ask) < (IsAble(helper) ? kAbleHelps : kOtherHelps);
}

bool MarketPeople::Reports(std::string_view ask) const { return Draw("report", ask) < kReportsOutcome; }

std::string MarketPeople::MessageOf(std::string_view need, std::uint64_t round) const {
  std::string message = "Hello,";
  for (std::uint64_t word = 0; word < 12; ++word) {
    const auto drawn = static_cast<std::uint64_t>(Draw("word", need, round << 8 | word) * 1e9);
    absl::StrAppend(&message, " w", absl::Hex(drawn));
  }
  return message;
}

}  // namespace warmline::simulation
