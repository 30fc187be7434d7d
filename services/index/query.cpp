#include "index/query.h"

#include <algorithm>
#include <numeric>

#include "base/hash.h"
#include "domain/interest.h"
#include "domain/limits.h"
#include "ranking/weights.h"

namespace warmline::index {
namespace {

void AddOwnTerms(const View& view, const domain::Need& need, Query& query) {
  const domain::Policy& policy = view.pool->policy;
  const StatisticsTable& statistics = *view.statistics;
  std::vector<std::uint8_t> levels;
  for (const domain::Interest& interest : need.interests) {
    const std::string& canonical = policy.Resolve(interest.canonical);
    const std::uint8_t level = domain::StrengthLevel(interest.strength);
    const auto same =
        std::find_if(query.own.begin(), query.own.end(), [&](const OwnTerm& o) { return o.canonical == canonical; });
    if (same != query.own.end()) {  // two names of one interest: the stronger counts
      auto& known = levels[static_cast<std::size_t>(same - query.own.begin())];
      known = std::max(known, level);
      continue;
    }
    OwnTerm own;
    own.typed = interest.typed;
    own.canonical = canonical;
    own.term = view.tables->terms.Find(canonical).value_or(kNone);
    query.own.push_back(std::move(own));
    levels.push_back(level);
  }
  for (std::size_t i = 0; i < query.own.size(); ++i) {
    OwnTerm& own = query.own[i];
    const std::uint64_t having = own.term == kNone ? 0 : statistics.Having(own.term);
    own.weight =
        std::uint64_t{ranking::InterestWeight(policy, own.canonical, having, statistics.helpers())} * levels[i];
    own.rare = ranking::IsRare(policy, having, statistics.helpers());
    query.total_weight += own.weight;
  }
}

// Related lists, strongest first by weight times discount, as far as the limit of terms allows.
std::vector<QueryTerm> RelatedTerms(const View& view, const Query& query, std::size_t room) {
  std::vector<QueryTerm> related;
  for (std::uint32_t i = 0; i < query.own.size(); ++i) {
    if (query.own[i].term == kNone) continue;
    for (const TermRelation& r : view.statistics->Relations(query.own[i].term))
      related.push_back({r.term, i, r.discount});
  }
  const auto strength = [&](const QueryTerm& t) { return query.own[t.own].weight * t.discount; };
  std::sort(related.begin(), related.end(), [&](const QueryTerm& x, const QueryTerm& y) {
    if (strength(x) != strength(y)) return strength(x) > strength(y);
    if (x.own != y.own) return x.own < y.own;
    return view.tables->terms.Name(x.term) < view.tables->terms.Name(y.term);
  });
  if (related.size() > room) related.resize(room);
  return related;
}

}  // namespace

Query MakeQuery(const View& view, const domain::Need& need) {
  const base::NameTable& terms = view.tables->terms;
  Query query;
  AddOwnTerms(view, need, query);
  const std::size_t room = domain::kMaxQueryTerms - std::min<std::size_t>(domain::kMaxQueryTerms, query.own.size());
  query.terms = RelatedTerms(view, query, room);
  for (std::uint32_t i = 0; i < query.own.size(); ++i) {
    if (query.own[i].term != kNone) query.terms.push_back({query.own[i].term, i, 256});
  }
  std::sort(query.terms.begin(), query.terms.end(), [&](const QueryTerm& x, const QueryTerm& y) {
    if (x.own != y.own) return x.own < y.own;
    return x.discount != y.discount ? x.discount > y.discount : terms.Name(x.term) < terms.Name(y.term);
  });

  const domain::Policy& policy = view.pool->policy;
  query.weights = ranking::WeightsFor(policy, need.urgency);
  const absl::Duration waited = need.create_time > absl::UnixEpoch()
                                    ? absl::FromUnixSeconds(view.epoch_hour * 3600) - need.create_time
                                    : absl::ZeroDuration();
  query.constraints = domain::RelaxedConstraints(need, waited, &query.relaxed);
  query.gate = query.constraints.evidence_gate == domain::EvidenceGate::kUnspecified ? policy.evidence_gate
                                                                                     : query.constraints.evidence_gate;
  for (const auto kind : need.help_kinds) query.help_kinds |= domain::BitOf(kind);
  query.seeker = view.tables->members.Find(need.seeker).value_or(kNone);
  query.need_hash = base::Hash64(need.id);
  query.day = view.epoch_hour / 24;
  for (const std::string& id : query.constraints.exclude_members) {
    if (const auto member = view.tables->members.Find(id)) query.excluded.push_back(*member);
  }
  std::sort(query.excluded.begin(), query.excluded.end());
  return query;
}

std::uint32_t InterestsPart(std::uint64_t sum, std::uint64_t total_weight) {
  return total_weight == 0 ? 0 : static_cast<std::uint32_t>(sum * domain::kOne / (255 * total_weight));
}

}  // namespace warmline::index
