#include "index/matcher.h"

#include <absl/container/inlined_vector.h>

#include "index/query.h"
#include "index/rules.h"

namespace warmline::index {
namespace {

AnswerBasis BasisOf(const View& view) {
  return {view.revision, view.epoch_hour, view.pool->policy.version, view.statistics->generation()};
}

std::vector<SharedInterest> SharedInterests(const View& view, const Query& query, const RowView& row) {
  struct Best {
    std::uint8_t level = 0;
    std::uint32_t term = kNone;
    std::uint32_t discount = 0;
  };
  const base::NameTable& names = view.tables->terms;
  absl::InlinedVector<Best, 16> best(query.own.size());
  absl::InlinedVector<bool, 16> has_own(query.own.size(), false);
  for (const QueryTerm& t : query.terms) {
    const std::uint8_t raw = row.Level(t.term);
    if (raw == 0) continue;
    if (t.discount == 256) has_own[t.own] = true;
    const std::uint8_t level = CountedLevel(raw, t.discount);
    Best& b = best[t.own];
    const bool same = level == b.level && level > 0 && t.discount == b.discount;
    if (level > b.level || (same && names.Name(t.term) < names.Name(b.term))) b = {level, t.term, t.discount};
  }
  std::vector<SharedInterest> shared;
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (best[i].level == 0) continue;
    const OwnTerm& own = query.own[i];
    const bool related = best[i].discount != 256;
    shared.push_back({std::string(own.typed), related ? std::string(names.Name(best[i].term)) : std::string(),
                      InterestsPart(own.weight * best[i].level, query.total_weight), own.rare && has_own[i]});
  }
  return shared;
}

// Everything about one candidate that an answer says.
RankedHelper Describe(const View& view, const Query& query, const Candidate& candidate, const ranking::Parts& parts) {
  const HelperFilter& filter = candidate.filter();
  const RowView row = candidate.row();
  const network::MemberTable& members = view.tables->members;
  RankedHelper helper;
  helper.id = members.Id(candidate.member);
  helper.parts = parts;
  helper.score = ranking::Score(query.weights, parts);
  helper.shared = SharedInterests(view, query, row);
  helper.reach = RuleChecker::ReachOf(candidate).value_or(domain::Reach::kUnspecified);
  helper.open_door = (filter.open_to & domain::BitOf(domain::Reach::kPool)) != 0;
  if (helper.reach == domain::Reach::kFirstDegree) helper.tie_strengths = {candidate.neighbour->to_contact};
  if (helper.reach == domain::Reach::kSecondDegree) {
    helper.introducer = members.Id(candidate.neighbour->introducer);
    helper.tie_strengths = {candidate.neighbour->to_contact, candidate.neighbour->from_contact};
  }
  helper.evidence = row.evidence();
  helper.kind =
      (filter.flags & kFlagOrganization) != 0 ? domain::MemberKind::kOrganization : domain::MemberKind::kPerson;
  if (const std::uint32_t term = row.profession(); term != kNone) helper.profession = view.tables->terms.Name(term);
  helper.load = candidate.load;
  return helper;
}

}  // namespace

absl::StatusOr<MatchResult> Match(const View& view, const domain::Need& need, const MatchOptions& options,
                                  const StopCheck& stop) {
  thread_local Search search;
  if (absl::Status status = search.Run(view, need, options.top_k, options.count_rules, stop); !status.ok())
    return status;
  MatchResult result;
  const Query& query = search.query();
  const auto ranked = search.Ranked();
  result.ranked.reserve(ranked.size());
  for (const TopK::Entry& entry : ranked) {
    view.tables->members.PrefetchId(entry.candidate.member);
    if (const std::uint32_t term = entry.candidate.row().profession(); term != kNone)
      view.tables->terms.PrefetchText(term);
  }
  for (const TopK::Entry& entry : ranked) result.ranked.push_back(Describe(view, query, entry.candidate, entry.parts));
  result.counts_are_complete = options.count_rules || ranked.size() < static_cast<std::size_t>(options.top_k);
  if (result.counts_are_complete) {
    result.candidates = search.candidates();
    result.removed = search.removed();
  }
  result.work = search.counts();
  result.weights = query.weights;
  result.relaxed = query.relaxed;
  result.basis = BasisOf(view);
  return result;
}

Explanation Explain(const View& view, const domain::Need& need, std::string_view helper) {
  Explanation result;
  result.basis = BasisOf(view);
  Query query;
  MakeQuery(view, need, query);
  result.weights = query.weights;
  const auto member = view.tables->members.Find(helper);
  if (!member) return result;
  for (const SegmentState& state : view.segments) {
    const Segment& segment = *state.segment;
    const auto doc = segment.Find(*member);
    if (!doc || !segment.LivesAt(*doc, view.sequence)) continue;
    result.is_helper = true;
    if (*member == query.seeker) return result;
    network::Neighbourhood near;
    near.Collect(*view.ties, view.tables->members, query.seeker, view.sequence, view.pool->policy.second_degree_decay);
    InterestWeigher weigher;
    weigher.Prepare(query);
    const InterestWeigher::Shared shared = weigher.Weigh(segment.row(*doc));
    const Candidate candidate = {
        &segment,           *doc,           *member, state.columns->parts(*doc), view.tables->members.load(*member),
        near.Find(*member), shared.own_rare};
    result.is_candidate = shared.any || candidate.neighbour != nullptr;
    RuleChecker rules;
    rules.Prepare(view, query);
    result.blocked_by = rules.AllBlocking(candidate);
    if (!result.is_candidate) return result;
    const std::uint32_t interests = InterestsPart(shared.sum, query.total_weight);
    result.match = Describe(view, query, candidate, PartsOf(view, query, candidate, interests));
    return result;
  }
  return result;
}

}  // namespace warmline::index
