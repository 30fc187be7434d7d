#include "support/oracle.h"

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "domain/fixed_point.h"
#include "domain/interest.h"

namespace warmline::testing {
namespace {

using domain::Member;
using domain::Reach;
using domain::Rule;

constexpr std::uint64_t kUnit = 1048576;  // 2^20

std::uint64_t Times(std::uint64_t a, std::uint64_t b) { return a * b / kUnit; }

std::string Resolved(const domain::Policy& policy, const std::string& canonical) {
  const auto found = policy.synonyms.find(canonical);
  return found == policy.synonyms.end() ? canonical : found->second;
}

std::uint64_t Level(double strength) {
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(strength * 255.0 + 0.5));
}

// What a helper has, after synonyms and dilution.
std::map<std::string, std::uint64_t> LevelsOf(const domain::Policy& policy, const Member& member) {
  std::map<std::string, std::uint64_t> levels;
  for (const auto& interest : member.interests) {
    std::uint64_t level = Level(interest.strength);
    if (member.interests.size() > 32) level = std::max<std::uint64_t>(1, level * 32 / member.interests.size());
    auto& known = levels[Resolved(policy, interest.canonical)];
    known = std::max(known, level);
  }
  return levels;
}

struct Term {
  std::string name;
  std::uint64_t weight = 0;
  bool rare = false;
  std::map<std::string, std::uint64_t> accepted;  // name -> discount of 256; the term itself at 256
};

std::vector<Term> TermsOf(const OracleWorld& world, const domain::Need& need) {
  std::map<std::string, domain::InterestStatistics> statistics;
  for (const auto& entry : world.statistics.interests) statistics[entry.canonical] = entry;
  const auto helpers = static_cast<std::uint64_t>(world.statistics.helpers);
  std::vector<Term> terms;
  std::vector<std::uint64_t> levels;
  for (const auto& interest : need.interests) {
    const std::string name = Resolved(world.policy, interest.canonical);
    const auto same = std::find_if(terms.begin(), terms.end(), [&](const Term& t) { return t.name == name; });
    if (same != terms.end()) {
      auto& level = levels[static_cast<std::size_t>(same - terms.begin())];
      level = std::max(level, Level(interest.strength));
    } else {
      terms.push_back({name, 0, false, {{name, 256}}});
      levels.push_back(Level(interest.strength));
    }
  }
  struct Related {
    std::uint64_t strength;
    std::size_t term;
    std::string name;
    std::uint64_t discount;
  };
  std::vector<Related> related;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const auto found = statistics.find(terms[i].name);
    const std::uint64_t known = found == statistics.end() ? 0 : static_cast<std::uint64_t>(found->second.helpers);
    const std::uint64_t having = std::max<std::uint64_t>(1, known);
    const std::string facet = terms[i].name.substr(0, terms[i].name.find(':'));
    auto facet_weight = world.policy.facet_weights.find(facet);
    if (facet_weight == world.policy.facet_weights.end()) facet_weight = world.policy.facet_weights.find("*");
    std::uint64_t rarity = kUnit;
    if (helpers > 0) {
      rarity = std::min(kUnit, (domain::Log2Floor(helpers + having) - domain::Log2Floor(having)) * kUnit /
                                   domain::Log2Floor(helpers + 1));
    }
    terms[i].weight =
        Times(facet_weight == world.policy.facet_weights.end() ? kUnit / 2 : facet_weight->second, rarity) * levels[i];
    terms[i].rare = known <= std::max<std::uint64_t>(2, Times(world.policy.rare_share, helpers));
    if (found == statistics.end()) continue;
    for (const auto& relation : found->second.relations)
      related.push_back({terms[i].weight * relation.discount, i, relation.canonical, relation.discount});
  }
  std::sort(related.begin(), related.end(), [](const Related& x, const Related& y) {
    if (x.strength != y.strength) return x.strength > y.strength;
    return x.term != y.term ? x.term < y.term : x.name < y.name;
  });
  const std::size_t room = 64 - std::min<std::size_t>(64, terms.size());
  for (std::size_t i = 0; i < related.size() && i < room; ++i)
    terms[related[i].term].accepted[related[i].name] = related[i].discount;
  return terms;
}

struct Nearness {
  int degree = 0;
  std::uint64_t closeness = 0;
  std::string introducer;
};

std::uint64_t TieLevel(const OracleWorld& world, const std::string& a, const std::string& b) {
  for (const auto& tie : world.ties) {
    if (tie.state == domain::ConnectionState::kConfirmed && ((tie.a == a && tie.b == b) || (tie.a == b && tie.b == a)))
      return Level(tie.strength);
  }
  return 0;
}

// Ties of one member, strongest first, then by id.
std::vector<std::pair<std::string, std::uint64_t>> TiesOf(const OracleWorld& world, const std::string& id) {
  std::vector<std::pair<std::string, std::uint64_t>> ties;
  for (const auto& tie : world.ties) {
    if (tie.state != domain::ConnectionState::kConfirmed) continue;
    if (tie.a == id) ties.emplace_back(tie.b, Level(tie.strength));
    if (tie.b == id) ties.emplace_back(tie.a, Level(tie.strength));
  }
  std::sort(ties.begin(), ties.end(), [](const auto& x, const auto& y) {
    return x.second != y.second ? x.second > y.second : x.first < y.first;
  });
  return ties;
}

Nearness NearnessOf(const OracleWorld& world, const std::string& seeker, const std::string& helper) {
  if (TieLevel(world, seeker, helper) > 0) return {1, kUnit, ""};
  Nearness best;
  std::uint64_t best_product = 0;
  auto contacts = TiesOf(world, seeker);
  if (contacts.size() > 256) contacts.resize(256);
  for (const auto& [contact, to_contact] : contacts) {
    auto theirs = TiesOf(world, contact);
    if (theirs.size() > 256) theirs.resize(256);
    for (const auto& [other, from_contact] : theirs) {
      if (other != helper) continue;
      best.degree = 2;
      const auto introducer = std::find_if(world.members.begin(), world.members.end(),
                                           [&, c = contact](const Member& m) { return m.id == c; });
      if (introducer == world.members.end() || !introducer->introduces) continue;
      const std::uint64_t product = to_contact * from_contact;
      if (product > best_product || (product == best_product && contact < best.introducer)) {
        best_product = product;
        best.introducer = contact;
        best.closeness = Times(product * kUnit / (255 * 255), world.policy.second_degree_decay);
      }
    }
  }
  return best;
}

struct Evidence {
  std::uint64_t helpfulness = 0;
  std::uint64_t responsiveness = 0;
  std::uint64_t novelty = 0;
  std::uint64_t helped_outcomes = 0;
};

Evidence EvidenceOf(const OracleWorld& world, const Member& member) {
  const auto half_life = static_cast<std::uint64_t>(world.policy.half_life_hours);
  const auto hour = [](absl::Time time) { return absl::ToUnixSeconds(time) / 3600; };
  std::int64_t newest = 0;
  for (const auto& e : member.evidence) newest = std::max(newest, hour(e.time));
  std::uint64_t helped = 0;
  std::uint64_t unhelpful = 0;
  std::uint64_t silent = 0;
  std::uint64_t minutes = 0;
  std::uint64_t timed = 0;
  Evidence result;
  const auto saturated = [](std::uint64_t sum) { return std::min<std::uint64_t>(sum, UINT32_MAX); };
  for (const auto& e : member.evidence) {
    const auto count = static_cast<std::uint64_t>(e.count);
    const std::uint64_t mass = count * domain::DecayFloor(static_cast<std::uint64_t>(newest - hour(e.time)), half_life);
    const bool good = e.outcome == domain::OutcomeKind::kHelped || e.outcome == domain::OutcomeKind::kInterview ||
                      e.outcome == domain::OutcomeKind::kHired;
    auto& sum = good ? helped : e.outcome == domain::OutcomeKind::kNoReply ? silent : unhelpful;
    sum = saturated(sum + mass);
    if (good) result.helped_outcomes += count;
    if (e.response_time) {
      minutes += count * static_cast<std::uint64_t>(absl::ToInt64Minutes(*e.response_time));
      timed += count;
    }
  }
  const std::uint64_t decay =
      domain::DecayFloor(static_cast<std::uint64_t>(std::max<std::int64_t>(0, world.epoch_hour - newest)), half_life);
  helped = Times(helped, decay);
  unhelpful = Times(unhelpful, decay);
  silent = Times(silent, decay);
  const std::uint64_t good_prior = world.policy.prior_helped_hundredths * kUnit / 100;
  const std::uint64_t prior = good_prior + world.policy.prior_unhelped_hundredths * kUnit / 100;
  const std::uint64_t total = prior + helped + unhelpful + silent;
  const std::uint64_t mean = (good_prior + helped) * kUnit / total;
  const std::uint64_t deviation = domain::SqrtFloor(mean * (kUnit - mean) * kUnit / (total + kUnit));
  result.helpfulness = mean > deviation ? mean - deviation : 0;
  const auto target = static_cast<std::uint64_t>(world.policy.response_target_minutes);
  const std::uint64_t speed = timed == 0 ? kUnit / 2 : target * kUnit / (target + minutes / timed);
  result.responsiveness = Times((good_prior + helped + unhelpful) * kUnit / total, speed);
  result.novelty = prior * kUnit / total;
  return result;
}

std::uint64_t AvailabilityOf(const Member& member) {
  const auto share = [](std::int64_t capacity, std::int64_t used) -> std::uint64_t {
    return used >= capacity
               ? 0
               : static_cast<std::uint64_t>(capacity - used) * kUnit / static_cast<std::uint64_t>(capacity);
  };
  return std::min(share(member.offer->capacity.open_asks, member.load.open_asks),
                  share(member.offer->capacity.asks_per_week, member.load.asks_this_week));
}

template <typename List, typename Value>
bool Has(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <typename List>
bool Share(const List& a, const List& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& x) { return Has(b, x); });
}

// One helper against one need.
struct Pairing {
  bool candidate = false;
  std::vector<Rule> blocked;
  OracleMatch match;
};

std::optional<Reach> ReachOf(const Member& helper, const Nearness& near, bool shares_rare) {
  const auto open = [&](Reach reach) {
    return Has(helper.offer->open_to, reach) || Has(helper.offer->open_to, Reach::kPool);
  };
  if (near.degree == 1 && (open(Reach::kFirstDegree) || open(Reach::kSecondDegree))) return Reach::kFirstDegree;
  if (near.degree == 2 && !near.introducer.empty() && open(Reach::kSecondDegree)) return Reach::kSecondDegree;
  if (shares_rare && open(Reach::kCircle)) return Reach::kCircle;
  if (Has(helper.offer->open_to, Reach::kPool)) return Reach::kPool;
  return std::nullopt;
}

bool PlaceFits(const Member& helper, const domain::NeedConstraints& wanted) {
  if (wanted.places.empty() || (wanted.remote_ok && helper.offer->remote)) return true;
  for (const auto& served : helper.offer->places) {
    for (const auto& place : wanted.places) {
      if (place == served || place.rfind(served + "/", 0) == 0) return true;
    }
  }
  return false;
}

Pairing Pair(const OracleWorld& world, const domain::Need& need, const std::vector<Term>& terms,
             const domain::NeedConstraints& wanted, const Member* seeker, const Member& helper) {
  const domain::Policy& policy = world.policy;
  const auto levels = LevelsOf(policy, helper);
  std::uint64_t sum = 0;
  std::uint64_t total = 0;
  bool shares = false;
  bool shares_rare = false;
  for (const Term& term : terms) {
    total += term.weight;
    std::uint64_t best = 0;
    for (const auto& [name, discount] : term.accepted) {
      const auto found = levels.find(name);
      if (found == levels.end()) continue;
      shares = true;
      best = std::max(best, found->second * discount / 256);
      if (name == term.name && discount == 256 && term.rare) shares_rare = true;
    }
    sum += term.weight * best;
  }
  const Nearness near = NearnessOf(world, need.seeker, helper.id);
  Pairing pairing;
  pairing.candidate = shares || near.degree > 0;
  const Evidence evidence = EvidenceOf(world, helper);
  const domain::Offer& offer = *helper.offer;
  const auto block = [&](bool blocked, Rule rule) {
    if (blocked) pairing.blocked.push_back(rule);
  };
  block(offer.confirmation != domain::Confirmation::kSelfConfirmed &&
            offer.confirmation != domain::Confirmation::kVouched,
        Rule::kConfirmation);
  block(!Share(offer.help_kinds, need.help_kinds), Rule::kHelpKind);
  block(wanted.helper_kind != domain::MemberKind::kUnspecified && wanted.helper_kind != helper.kind, Rule::kHelperKind);
  block(!wanted.languages.empty() && !Share(offer.languages, wanted.languages), Rule::kLanguage);
  block(!PlaceFits(helper, wanted), Rule::kPlace);
  block(AvailabilityOf(helper) == 0, Rule::kCapacity);
  block(std::any_of(world.blocks.begin(), world.blocks.end(),
                    [&](const auto& b) {
                      return (b.blocker == helper.id && b.blocked == need.seeker) ||
                             (b.blocker == need.seeker && b.blocked == helper.id);
                    }),
        Rule::kBlock);
  block(seeker != nullptr && Share(seeker->conflict_keys, helper.conflict_keys), Rule::kConflict);
  block(world.Asked(need.seeker, helper.id, false), Rule::kCoolDown);
  block(world.Asked(need.seeker, helper.id, true), Rule::kOpenAsk);
  block(offer.paused || helper.suspended, Rule::kPause);
  auto gate = wanted.evidence_gate == domain::EvidenceGate::kUnspecified ? policy.evidence_gate : wanted.evidence_gate;
  block((gate == domain::EvidenceGate::kAny && evidence.helped_outcomes == 0) ||
            (gate == domain::EvidenceGate::kProven &&
             (evidence.helped_outcomes < policy.proven_outcomes || evidence.helpfulness < policy.proven_helpfulness)),
        Rule::kEvidence);
  std::vector<std::string> preferred;
  for (const auto& interest : offer.seeker_interests) preferred.push_back(Resolved(policy, interest.canonical));
  std::vector<std::string> own;
  for (const Term& term : terms) own.push_back(term.name);
  block(!preferred.empty() && !Share(preferred, own), Rule::kPreference);
  const auto reach = ReachOf(helper, near, shares_rare);
  block(!reach, Rule::kReach);
  block(Has(wanted.exclude_members, helper.id), Rule::kExcluded);

  static constexpr std::uint64_t kInvolvement[] = {
      0, 0, kUnit / 4, kUnit * 60 / 100, kUnit * 70 / 100, kUnit * 85 / 100, kUnit};
  const auto day = static_cast<std::uint64_t>(world.epoch_hour / 24);
  base::SipHash13 mixed(world.exploration_key);
  for (const std::uint64_t word : {base::Hash64(need.id), day, base::Hash64(helper.id)}) mixed.Add(word);
  OracleMatch& match = pairing.match;
  match.id = helper.id;
  match.parts = {total == 0 ? 0 : sum * kUnit / (255 * total),      evidence.helpfulness,   evidence.responsiveness,
                 kInvolvement[static_cast<int>(offer.involvement)], AvailabilityOf(helper), near.closeness,
                 Times(evidence.novelty, mixed.Value() >> 44)};
  match.reach = reach.value_or(Reach::kUnspecified);
  if (match.reach == Reach::kSecondDegree) match.introducer = near.introducer;

  std::vector<std::uint64_t> weights(policy.weights.begin(), policy.weights.end());
  std::uint64_t shift = need.urgency == domain::Urgency::kHigh        ? policy.shift_high
                        : need.urgency == domain::Urgency::kImmediate ? policy.shift_immediate
                                                                      : 0;
  const std::uint64_t from_interests = std::min(weights[0], shift - shift / 2);
  const std::uint64_t from_helpfulness = std::min(weights[1], shift / 2);
  weights[0] -= from_interests;
  weights[1] -= from_helpfulness;
  weights[2] += (from_interests + from_helpfulness) / 2;
  weights[4] += from_interests + from_helpfulness - (from_interests + from_helpfulness) / 2;
  for (std::size_t i = 0; i < weights.size(); ++i) match.score += Times(weights[i], match.parts[i]);
  return pairing;
}

const Member* FindMember(const OracleWorld& world, const std::string& id) {
  const auto found =
      std::find_if(world.members.begin(), world.members.end(), [&](const Member& m) { return m.id == id; });
  return found == world.members.end() ? nullptr : &*found;
}

// The constraints that bind after waiting until the epoch.
domain::NeedConstraints Waited(const OracleWorld& world, const domain::Need& need) {
  domain::NeedConstraints wanted = need.constraints;
  for (const auto& step : need.relaxations) {
    const bool waited = need.create_time > absl::UnixEpoch() &&
                        absl::FromUnixSeconds(world.epoch_hour * 3600) - need.create_time >= step.after;
    if (!waited) continue;
    if (Has(step.drop, domain::SoftConstraint::kLanguage)) wanted.languages.clear();
    if (Has(step.drop, domain::SoftConstraint::kPlace)) wanted.places.clear();
    if (Has(step.drop, domain::SoftConstraint::kHelperKind)) wanted.helper_kind = domain::MemberKind::kUnspecified;
    if (Has(step.drop, domain::SoftConstraint::kEvidence)) wanted.evidence_gate = domain::EvidenceGate::kNone;
  }
  return wanted;
}

}  // namespace

OracleAnswer BruteForce(const OracleWorld& world, const domain::Need& need, int k) {
  OracleAnswer answer;
  const auto terms = TermsOf(world, need);
  const auto wanted = Waited(world, need);
  const Member* seeker = FindMember(world, need.seeker);
  for (const Member& helper : world.members) {
    if (!helper.offer || helper.id == need.seeker) continue;
    Pairing pairing = Pair(world, need, terms, wanted, seeker, helper);
    if (!pairing.candidate) continue;
    ++answer.candidates;
    if (pairing.blocked.empty()) {
      answer.ranked.push_back(std::move(pairing.match));
    } else {
      ++answer.removed[pairing.blocked.front()];
    }
  }
  std::sort(answer.ranked.begin(), answer.ranked.end(), [](const OracleMatch& x, const OracleMatch& y) {
    return x.score != y.score ? x.score > y.score : x.id < y.id;
  });
  if (answer.ranked.size() > static_cast<std::size_t>(k)) answer.ranked.resize(static_cast<std::size_t>(k));
  return answer;
}

std::optional<std::vector<Rule>> BlockedBy(const OracleWorld& world, const domain::Need& need,
                                           const std::string& helper) {
  const Member* member = FindMember(world, helper);
  if (member == nullptr || !member->offer || helper == need.seeker) return std::nullopt;
  const Pairing pairing =
      Pair(world, need, TermsOf(world, need), Waited(world, need), FindMember(world, need.seeker), *member);
  return pairing.candidate ? std::optional(pairing.blocked) : std::nullopt;
}

}  // namespace warmline::testing
