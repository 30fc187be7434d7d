#include "simulation/community.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/hash.h"

namespace warmline::simulation {
namespace {

using base::Mix64;

constexpr int kProfessions = 400;
constexpr int kSkills = 6'000;
constexpr int kSkillsPerProfession = 60;
constexpr int kHobbies = 800;
constexpr int kPlaces = 200;
constexpr int kIndustries = 40;
constexpr int kFlatInterests = 20'000;
constexpr std::int64_t kNow = 1'790'000'000;  // a fixed "today", so that evidence does not depend on the clock

// Cumulative Zipf distribution over ranks 1..n. pow is correctly rounded nearly everywhere; the table is coarse enough
// not to care.
std::vector<double> Zipf(int n, double exponent) {
  std::vector<double> cdf(static_cast<std::size_t>(n));
  double sum = 0;
  for (int i = 0; i < n; ++i) cdf[static_cast<std::size_t>(i)] = sum += 1.0 / std::pow(i + 1, exponent);
  for (double& value : cdf) value /= sum;
  return cdf;
}

}  // namespace

// Counter-based: stream and step make the number (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
class Community::Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream, std::int64_t number)
      : state_(Mix64(Mix64(seed ^ stream << 56) + static_cast<std::uint64_t>(number))) {}
  std::uint64_t Next() { return Mix64(state_ += 0x9e3779b97f4a7c15ULL); }
  // In [0, n).
  std::int64_t Below(std::int64_t n) { return static_cast<std::int64_t>(Next() % static_cast<std::uint64_t>(n)); }
  // In [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  int Rank(const std::vector<double>& cdf) {
    return static_cast<int>(std::lower_bound(cdf.begin(), cdf.end() - 1, Unit()) - cdf.begin());
  }

 private:
  std::uint64_t state_;
};

Community::Community(const CommunityOptions& options)
    : options_(options),
      profession_cdf_(Zipf(kProfessions, 0.9)),
      skill_cdf_(Zipf(kSkillsPerProfession, 0.8)),
      hobby_cdf_(Zipf(kHobbies, 0.8)),
      place_cdf_(Zipf(kPlaces, 0.9)),
      flat_cdf_(Zipf(kFlatInterests, 1.0)) {}

std::vector<domain::Interest> Community::Interests(Random& random, int count) const {
  std::vector<domain::Interest> interests;
  const auto add = [&](const std::string& name) {
    const bool known = std::any_of(interests.begin(), interests.end(), [&](const auto& i) { return i.typed == name; });
    if (!known) interests.push_back({name, name, 0.25 + 0.75 * static_cast<double>(1 + random.Below(4)) / 4});
  };
  if (options_.mode == Mode::kAdversarial) {
    while (static_cast<int>(interests.size()) < count) add(absl::StrCat("skill:s", random.Rank(flat_cdf_)));
    return interests;
  }
  const int profession = random.Rank(profession_cdf_);
  const int place = random.Rank(place_cdf_);
  add(absl::StrCat("profession:p", profession));
  add(absl::StrCat("industry:i", Mix64(static_cast<std::uint64_t>(profession)) % kIndustries));
  while (static_cast<int>(interests.size()) < count) {
    if (random.Below(10) < 7) {
      const int rank = random.Rank(skill_cdf_);
      // The strongest ranks of every profession are skills that all share, the rest its own.
      const std::uint64_t skill =
          rank % 5 == 0
              ? static_cast<std::uint64_t>(rank)
              : Mix64(static_cast<std::uint64_t>(profession) << 16 | static_cast<std::uint64_t>(rank)) % kSkills;
      add(absl::StrCat("skill:s", skill));
    } else {
      const int rank = random.Rank(hobby_cdf_);
      add(absl::StrCat("hobby:h", random.Below(3) == 0 ? static_cast<std::uint64_t>(rank)
                                                       : Mix64(static_cast<std::uint64_t>(place) << 20 |
                                                               static_cast<std::uint64_t>(rank % 40)) %
                                                             kHobbies));
    }
  }
  return interests;
}

domain::Member Community::HelperAt(std::int64_t number) const {
  Random random(options_.seed, 1, number);
  domain::Member member;
  member.id = absl::StrCat("h", number);
  member.kind = random.Below(20) == 0 ? domain::MemberKind::kOrganization : domain::MemberKind::kPerson;
  member.display_name = absl::StrCat("Helper ", number);
  member.interests = Interests(random, options_.interests_per_member);
  member.introduces = random.Below(10) < 6;
  domain::Offer& offer = member.offer.emplace();
  for (int kind = 1; kind <= 9; ++kind) {
    if (random.Below(3) == 0) offer.help_kinds.push_back(static_cast<domain::HelpKind>(kind));
  }
  if (offer.help_kinds.empty()) offer.help_kinds.push_back(domain::HelpKind::kAdvice);
  offer.capacity = {static_cast<std::int32_t>(1 + random.Below(8)), static_cast<std::int32_t>(1 + random.Below(12))};
  offer.languages = {"en"};
  if (random.Below(4) == 0) offer.languages.emplace_back("es");
  offer.places = {absl::StrCat("xx/city", random.Rank(place_cdf_))};
  offer.remote = random.Below(2) == 0;
  offer.open_to = {domain::Reach::kPool};
  offer.involvement = static_cast<domain::Involvement>(1 + random.Below(6));
  offer.confirmation = domain::Confirmation::kSelfConfirmed;
  for (std::int64_t i = random.Below(4); i > 0; --i) {
    domain::Evidence evidence;
    evidence.outcome = static_cast<domain::OutcomeKind>(1 + random.Below(5));
    evidence.count = static_cast<std::int32_t>(1 + random.Below(6));
    evidence.time = absl::FromUnixSeconds(kNow - random.Below(400) * 86'400);
    if (random.Below(2) == 0) evidence.response_time = absl::Hours(1 + random.Below(96));
    member.evidence.push_back(evidence);
  }
  member.load = {static_cast<std::int32_t>(random.Below(3)), static_cast<std::int32_t>(random.Below(3))};
  return member;
}

std::vector<domain::Connection> Community::TiesOf(std::int64_t number) const {
  Random random(options_.seed, 2, number);
  std::vector<std::int64_t> others;
  for (int i = 0; i < (options_.ties_per_member + 1) / 2; ++i) {
    // Near in number, mostly: small worlds (Watts and Strogatz 1998) give real paths of two degrees.
    const std::int64_t other =
        random.Below(5) == 0 ? random.Below(options_.helpers) : number + 1 + random.Below(options_.ties_per_member * 2);
    if (other > number && other < options_.helpers) others.push_back(other);
  }
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  std::vector<domain::Connection> ties;
  for (const std::int64_t other : others) {
    domain::Connection tie;
    std::tie(tie.a, tie.b) = std::minmax(absl::StrCat("h", number), absl::StrCat("h", other));
    tie.strength = static_cast<double>(1 + random.Below(10)) / 10;
    tie.state = domain::ConnectionState::kConfirmed;
    ties.push_back(std::move(tie));
  }
  return ties;
}

domain::Need Community::NeedAt(std::int64_t number) const {
  Random random(options_.seed, 3, number);
  domain::Need need;
  need.id = absl::StrCat("need", number);
  need.seeker = absl::StrCat("h", random.Below(options_.helpers));
  need.help_kinds = {static_cast<domain::HelpKind>(1 + random.Below(9)),
                     static_cast<domain::HelpKind>(1 + random.Below(9))};
  need.interests = Interests(random, options_.interests_per_member);
  need.urgency = static_cast<domain::Urgency>(1 + random.Below(4));
  need.create_time = absl::FromUnixSeconds(kNow);
  return need;
}

}  // namespace warmline::simulation
