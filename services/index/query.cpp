#include "index/query.h"

#include <algorithm>

#include "base/hash.h"
#include "domain/interest.h"
#include "domain/limits.h"
#include "ranking/score.h"
#include "ranking/weights.h"

namespace warmline::index {
namespace {

void AddOwnTerms(const View& view, const domain::Need& need, Query& query) {
  const domain::Policy& policy = view.pool->policy;
  const StatisticsTable& statistics = *view.statistics;
  query.own.clear();
  query.total_weight = 0;
  for (const domain::Interest& interest : need.interests) {
    const std::string_view canonical = policy.Resolve(interest.canonical);
    const std::uint8_t level = domain::StrengthLevel(interest.strength);
    const auto same =
        std::find_if(query.own.begin(), query.own.end(), [&](const OwnTerm& o) { return o.canonical == canonical; });
    if (same != query.own.end()) {  // two names of one interest: the stronger counts
      same->level = std::max(same->level, level);
      continue;
    }
    OwnTerm own;
    own.typed = interest.typed;
    own.canonical = canonical;
    own.term = view.tables->terms.Find(canonical).value_or(kNone);
    own.level = level;
    query.own.push_back(own);
  }
  for (OwnTerm& own : query.own) {
    const std::uint64_t importance =
        domain::MulFloor(policy.FacetWeight(domain::FacetOf(own.canonical)), statistics.Rarity(own.term));
    own.weight = importance * own.level;
    own.rare = ranking::IsRare(policy, statistics.Having(own.term), statistics.helpers());
    query.total_weight += own.weight;
  }
}

// Related lists, strongest first by weight times discount, as far as the limit of terms allows; then the own ones.
void AddTerms(const View& view, Query& query) {
  const base::NameTable& terms = view.tables->terms;
  query.terms.clear();
  for (std::uint32_t i = 0; i < query.own.size(); ++i) {
    for (const TermRelation& r : view.statistics->Relations(query.own[i].term))
      query.terms.push_back({r.term, i, r.discount});
  }
  const std::size_t room = domain::kMaxQueryTerms - std::min<std::size_t>(domain::kMaxQueryTerms, query.own.size());
  if (query.terms.size() > room) {
    const auto strength = [&](const QueryTerm& t) { return query.own[t.own].weight * t.discount; };
    std::sort(query.terms.begin(), query.terms.end(), [&](const QueryTerm& x, const QueryTerm& y) {
      if (strength(x) != strength(y)) return strength(x) > strength(y);
      if (x.own != y.own) return x.own < y.own;
      return terms.Name(x.term) < terms.Name(y.term);
    });
    query.terms.resize(room);
  }
  for (std::uint32_t i = 0; i < query.own.size(); ++i) {
    if (query.own[i].term != kNone) query.terms.push_back({query.own[i].term, i, 256});
  }
  std::sort(query.terms.begin(), query.terms.end(), [](const QueryTerm& x, const QueryTerm& y) {
    if (x.own != y.own) return x.own < y.own;
    return x.discount != y.discount ? x.discount > y.discount : x.term < y.term;
  });
}

}  // namespace

void MakeQuery(const View& view, const domain::Need& need, Query& query) {
  AddOwnTerms(view, need, query);
  AddTerms(view, query);

  const domain::Policy& policy = view.pool->policy;
  query.weights = ranking::WeightsFor(policy, need.urgency);
  query.shift = EpochColumns::ShiftOf(need.urgency);
  const absl::Duration waited = need.create_time > absl::UnixEpoch()
                                    ? absl::FromUnixSeconds(view.epoch_hour * 3600) - need.create_time
                                    : absl::ZeroDuration();
  query.relaxed = domain::DroppedConstraints(need, waited);
  query.constraints = &need.constraints;
  if (!query.relaxed.empty()) {
    query.relaxed_constraints = domain::WithoutConstraints(need.constraints, query.relaxed);
    query.constraints = &query.relaxed_constraints;
  }
  query.gate = query.constraints->evidence_gate == domain::EvidenceGate::kUnspecified
                   ? policy.evidence_gate
                   : query.constraints->evidence_gate;
  query.help_kinds = 0;
  for (const auto kind : need.help_kinds) query.help_kinds |= domain::BitOf(kind);
  query.seeker = view.tables->members.Find(need.seeker).value_or(kNone);
  query.exploration = ranking::ExplorationOf(view.tables->exploration_key, base::Hash64(need.id), view.epoch_hour / 24);
  query.excluded.clear();
  for (const std::string& id : query.constraints->exclude_members) {
    if (const auto member = view.tables->members.Find(id)) query.excluded.push_back(*member);
  }
  std::sort(query.excluded.begin(), query.excluded.end());
}

std::uint32_t InterestsPart(std::uint64_t sum, std::uint64_t total_weight) {
  return total_weight == 0 ? 0 : static_cast<std::uint32_t>(sum * domain::kOne / (255 * total_weight));
}

}  // namespace warmline::index
