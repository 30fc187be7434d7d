// How the people of a market really are, and what they do by it: made from seed and number alone. Thread-safety: const
// calls from any thread.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "domain/member.h"
#include "domain/need.h"
#include "simulation/community.h"
#include "simulation/market.h"

namespace warmline::simulation {

// What a helper does with an ask that they look at.
enum class Reply { kAccept, kDecline, kIgnore };

class MarketPeople {
 public:
  explicit MarketPeople(const MarketOptions& options);
  // As they join: no evidence, no load. Members 0 to `members` are there from the start; later ones come.
  [[nodiscard]] domain::Member MemberAt(std::int64_t number, absl::Time now) const;
  [[nodiscard]] std::vector<domain::Connection> TiesOf(std::int64_t number) const { return community_.TiesOf(number); }
  // A need of one of the first `members` members.
  [[nodiscard]] domain::Need NeedAt(std::int64_t number, std::int64_t members) const;

  // One in seven really helps: answers most asks, soon, and well. The others came because they need help themselves.
  [[nodiscard]] bool IsAble(std::string_view member) const;
  // Until the member looks into the inbox again.
  [[nodiscard]] absl::Duration TimeToLook(std::string_view member, std::uint64_t look) const;
  // Of the rest, `ask` names what it is about, whatever id it has. Whoever is asked often answers less of it.
  [[nodiscard]] Reply ReplyTo(std::string_view helper, std::string_view ask, std::int64_t asks_this_week) const;
  // An introducer's; whether they consent, and after which time.
  [[nodiscard]] bool Forwards(std::string_view ask) const;
  [[nodiscard]] absl::Duration TimeToForward(std::string_view ask) const;
  // Whether the help did help; and whether the seeker says so in the end.
  [[nodiscard]] bool Helps(std::string_view helper, std::string_view ask) const;
  [[nodiscard]] bool Reports(std::string_view ask) const;
  // Twelve words, of which nobody else writes the same.
  [[nodiscard]] std::string MessageOf(std::string_view need, std::uint64_t round) const;

 private:
  // In [0, 1), from what it is for and for whom.
  [[nodiscard]] double Draw(std::string_view purpose, std::string_view who, std::uint64_t what = 0) const;

  MarketOptions options_;
  Community community_;
};

}  // namespace warmline::simulation
