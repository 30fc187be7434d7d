#include "support/random_world.h"

#include <algorithm>
#include <tuple>

namespace warmline::testing {
namespace {

const std::vector<std::string> kInterests = {"profession:nurse", "profession:welder", "profession:data-engineer",
                                             "skill:sql",        "skill:triage",      "skill:mig",
                                             "skill:python",     "hobby:choir",       "hobby:climbing",
                                             "industry:health",  "school:tech",       "employer:acme",
                                             "topic:a",          "topic:b",           "topic:c",
                                             "topic:d"};
const std::vector<std::string> kLanguages = {"en", "es", "ar"};
const std::vector<std::string> kPlaces = {"de", "de/berlin", "de/berlin/mitte", "fr/paris", "de/ber"};
const std::vector<std::string> kKeys = {"home-1", "home-2", "firm-1"};

}  // namespace

std::vector<std::string> RandomWorld::Some(const std::vector<std::string>& of, int percent) {
  std::vector<std::string> some;
  for (const auto& entry : of) {
    if (Chance(percent)) some.push_back(entry);
  }
  return some;
}

std::vector<domain::Interest> RandomWorld::Interests(int at_most) {
  std::vector<domain::Interest> interests;
  const int count = 1 + Below(at_most);
  for (int i = 0; i < count; ++i) {
    const std::string name = Chance(3)
                                 ? "rare:r" + std::to_string(Below(60))
                                 : kInterests[static_cast<std::size_t>(Below(static_cast<int>(kInterests.size())))];
    const bool known =
        std::any_of(interests.begin(), interests.end(), [&](const auto& x) { return x.canonical == name; });
    // Few strengths, so that scores tie.
    if (!known) interests.push_back({name, name, Chance(50) ? 1.0 : 0.25 * (1 + Below(4))});
  }
  if (Chance(3)) {  // more than are undiluted
    for (int i = 0; i < 40; ++i) interests.push_back({"bulk:" + std::to_string(i), "bulk:" + std::to_string(i), 1.0});
  }
  return interests;
}

domain::Policy RandomWorld::Policy() {
  domain::Policy policy;
  if (Chance(50)) {
    std::uint32_t left = domain::kOne;
    for (std::size_t i = 0; i + 1 < policy.weights.size(); ++i)
      left -= policy.weights[i] = static_cast<std::uint32_t>(random_() % (left / 2 + 1));
    policy.weights.back() = left;
  }
  if (Chance(30)) policy.shift_immediate = static_cast<std::uint32_t>(random_() % (domain::kOne / 2 + 1));
  if (Chance(50)) policy.half_life_hours = 1 + Below(24 * 400);
  if (Chance(50)) policy.prior_helped_hundredths = static_cast<std::uint32_t>(1 + Below(500));
  if (Chance(50)) policy.prior_unhelped_hundredths = static_cast<std::uint32_t>(1 + Below(500));
  if (Chance(30)) policy.second_degree_decay = static_cast<std::uint32_t>(random_() % (domain::kOne + 1));
  if (Chance(30)) policy.rare_share = static_cast<std::uint32_t>(random_() % (domain::kOne + 1));
  if (Chance(30)) policy.evidence_gate = static_cast<domain::EvidenceGate>(1 + Below(3));
  policy.proven_outcomes = static_cast<std::uint32_t>(Below(4));
  if (Chance(20)) policy.facet_weights.erase("*");
  if (Chance(20)) policy.facet_weights["topic"] = 0;
  if (Chance(40)) policy.synonyms = {{"topic:b", "topic:a"}, {"skill:python", "skill:sql"}};
  return policy;
}

domain::Member RandomWorld::Member(const std::string& id) {
  domain::Member member;
  member.id = id;
  member.kind = Chance(80) ? domain::MemberKind::kPerson : domain::MemberKind::kOrganization;
  member.display_name = "Member " + id;
  member.interests = Interests(6);
  member.introduces = Chance(60);
  member.conflict_keys = Some(kKeys, 10);
  if (Chance(80)) {
    domain::Offer& offer = member.offer.emplace();
    for (int kind = 1; kind <= 9; ++kind) {
      if (Chance(60)) offer.help_kinds.push_back(static_cast<domain::HelpKind>(kind));
    }
    offer.capacity = {1 + Below(4), 1 + Below(4)};
    offer.languages = Some(kLanguages, 60);
    offer.places = Some(kPlaces, 30);
    offer.remote = Chance(50);
    for (int reach = 1; reach <= 4; ++reach) {
      if (Chance(reach == 4 ? 40 : 50)) offer.open_to.push_back(static_cast<domain::Reach>(reach));
    }
    offer.involvement = static_cast<domain::Involvement>(Below(7));
    if (Chance(15)) offer.seeker_interests = Interests(2);
    offer.paused = Chance(5);
    offer.confirmation = static_cast<domain::Confirmation>(Chance(90) ? 2 + Below(2) : 1);
    member.load = {Below(3), Below(3)};
  }
  for (int i = Below(4); i > 0; --i) {
    domain::Evidence evidence;
    evidence.outcome = static_cast<domain::OutcomeKind>(1 + Below(5));
    evidence.count = Chance(2) ? 1'000'000 : 1 + Below(10);
    evidence.time = absl::FromUnixSeconds((kEpochHour - Below(20'000) + 10) * 3600 + Below(3600));
    if (Chance(50)) evidence.response_time = absl::Minutes(Below(20'000));
    member.evidence.push_back(evidence);
  }
  member.suspended = Chance(3);
  return member;
}

domain::Connection RandomWorld::Connection(const std::vector<std::string>& ids) {
  domain::Connection tie;
  const auto count = static_cast<int>(ids.size());
  const int a = Below(count);
  const int b = (a + 1 + Below(count - 1)) % count;
  std::tie(tie.a, tie.b) = std::minmax(ids[static_cast<std::size_t>(a)], ids[static_cast<std::size_t>(b)]);
  tie.strength = Chance(50) ? 0.5 : 0.1 * (1 + Below(10));
  tie.state = Chance(90) ? domain::ConnectionState::kConfirmed : domain::ConnectionState::kPending;
  return tie;
}

domain::Block RandomWorld::Block(const std::vector<std::string>& ids) {
  const domain::Connection pair = Connection(ids);
  return Chance(50) ? domain::Block{pair.a, pair.b} : domain::Block{pair.b, pair.a};
}

domain::Need RandomWorld::Need(const std::string& id, const std::vector<std::string>& ids) {
  domain::Need need;
  need.id = id;
  need.seeker = ids[static_cast<std::size_t>(Below(static_cast<int>(ids.size())))];
  for (int kind = 1; kind <= 9; ++kind) {
    if (Chance(30)) need.help_kinds.push_back(static_cast<domain::HelpKind>(kind));
  }
  if (need.help_kinds.empty()) need.help_kinds.push_back(domain::HelpKind::kAdvice);
  need.interests = Interests(8);
  need.urgency = static_cast<domain::Urgency>(1 + Below(4));
  if (Chance(40)) need.constraints.languages = Some(kLanguages, 50);
  if (Chance(40)) need.constraints.places = Some(kPlaces, 40);
  need.constraints.remote_ok = Chance(50);
  if (Chance(20)) need.constraints.helper_kind = static_cast<domain::MemberKind>(1 + Below(2));
  if (Chance(30)) need.constraints.evidence_gate = static_cast<domain::EvidenceGate>(1 + Below(3));
  if (Chance(20)) need.constraints.exclude_members = Some(ids, 10);
  if (Chance(40)) need.create_time = absl::FromUnixSeconds((kEpochHour - Below(100)) * 3600);
  if (Chance(40)) {
    need.relaxations = {{absl::Hours(24), {domain::SoftConstraint::kLanguage, domain::SoftConstraint::kHelperKind}},
                        {absl::Hours(48), {domain::SoftConstraint::kPlace, domain::SoftConstraint::kEvidence}}};
  }
  return need;
}

}  // namespace warmline::testing
