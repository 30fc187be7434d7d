#include "index/matcher.h"

#include <algorithm>

#include "index/interest_scan.h"
#include "index/query.h"
#include "index/rules.h"
#include "index/top_k.h"
#include "ranking/weights.h"

namespace warmline::index {
namespace {

using domain::Part;

AnswerBasis BasisOf(const View& view) {
  return {view.revision, view.epoch_hour, view.pool->policy.version, view.statistics->generation()};
}

ranking::Parts PartsOf(const View& view, const Query& query, const Candidate& candidate, std::uint64_t sum) {
  const HelperDocument& d = *candidate.document;
  ranking::Parts parts{};
  const auto set = [&](Part part, std::uint32_t value) { parts[static_cast<std::size_t>(part)] = value; };
  set(Part::kInterests, InterestsPart(sum, query.total_weight));
  set(Part::kHelpfulness, candidate.parts->helpfulness);
  set(Part::kResponsiveness, candidate.parts->responsiveness);
  set(Part::kInvolvement, ranking::InvolvementValue(static_cast<domain::Involvement>(d.involvement)));
  set(Part::kAvailability, ranking::Availability(d.open_capacity, d.week_capacity, candidate.load));
  set(Part::kCloseness, candidate.neighbour == nullptr ? 0 : candidate.neighbour->closeness);
  set(Part::kExploration, ranking::Exploration(candidate.parts->novelty, query.need_hash,
                                               view.tables->members.IdHash(d.member), query.day));
  return parts;
}

std::vector<SharedInterest> SharedInterests(const View& view, const Query& query, const Segment& segment,
                                            std::uint32_t doc) {
  struct Best {
    std::uint8_t level = 0;
    std::uint32_t term = kNone;
    bool related = false;
  };
  std::vector<Best> best(query.own.size());
  std::vector<bool> has_own(query.own.size(), false);
  for (const QueryTerm& t : query.terms) {
    const std::uint8_t raw = segment.Level(t.term, doc);
    if (raw == 0) continue;
    if (t.discount == 256) has_own[t.own] = true;
    const std::uint8_t level = CountedLevel(raw, t.discount);
    if (level > best[t.own].level) best[t.own] = {level, t.term, t.discount != 256};
  }
  std::vector<SharedInterest> shared;
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (best[i].level == 0) continue;
    const OwnTerm& own = query.own[i];
    shared.push_back({own.typed, best[i].related ? std::string(view.tables->terms.Name(best[i].term)) : std::string(),
                      InterestsPart(own.weight * best[i].level, query.total_weight), own.rare && has_own[i]});
  }
  return shared;
}

// Everything about one candidate that an answer says.
RankedHelper Describe(const View& view, const Query& query, const Segment& segment, std::uint32_t doc,
                      const Candidate& candidate, const ranking::Parts& parts) {
  const HelperDocument& d = *candidate.document;
  const network::MemberTable& members = view.tables->members;
  RankedHelper helper;
  helper.id = members.Id(d.member);
  helper.parts = parts;
  helper.score = ranking::Score(query.weights, parts);
  helper.shared = SharedInterests(view, query, segment, doc);
  helper.reach = RuleChecker::ReachOf(candidate).value_or(domain::Reach::kUnspecified);
  helper.open_door = (d.open_to & domain::BitOf(domain::Reach::kPool)) != 0;
  if (helper.reach == domain::Reach::kFirstDegree) helper.tie_strengths = {candidate.neighbour->to_contact};
  if (helper.reach == domain::Reach::kSecondDegree) {
    helper.introducer = members.Id(candidate.neighbour->introducer);
    helper.tie_strengths = {candidate.neighbour->to_contact, candidate.neighbour->from_contact};
  }
  helper.evidence = d.evidence;
  helper.kind = (d.flags & kFlagOrganization) != 0 ? domain::MemberKind::kOrganization : domain::MemberKind::kPerson;
  if (d.profession != kNone) helper.profession = view.tables->terms.Name(d.profession);
  helper.load = candidate.load;
  return helper;
}

std::vector<network::Neighbour> NeighboursOf(const View& view, const Query& query) {
  if (query.seeker == kNone) return {};
  return network::FindNeighbours(*view.ties, view.tables->members, query.seeker, view.sequence,
                                 view.pool->policy.second_degree_decay);
}

// One query over all segments of a view.
class Search {
 public:
  Search(const View& view, const Query& query, const MatchOptions& options)
      : view_(view),
        query_(query),
        options_(options),
        bound_(query.weights, query.total_weight),
        rules_(view, query),
        neighbours_(NeighboursOf(view, query)),
        top_(options.top_k, view.tables->members) {}

  absl::Status Run(const StopCheck& stop) {
    for (const SegmentState& state : view_.segments) {
      scan_.Run(*state.segment, query_);
      ConsiderNeighbours(state);
      const bool all_live = state.segment->dead() == 0;
      for (const std::uint32_t doc : scan_.touched()) {
        if (++seen_ % kCandidatesPerCheck == 0) {
          if (absl::Status status = stop(); !status.ok()) return status;
        }
        if (scan_.is_near(doc) || (!all_live && !state.segment->LivesAt(doc, view_.sequence))) continue;
        ++result_.candidates;
        // The bound is read beside the sum; the document itself only when it can still enter. Equal scores may, by id.
        if (!options_.count_rules && bound_.Of(scan_.sum(doc), (*state.bounds)[doc]) < top_.threshold()) continue;
        Consider(state, doc, nullptr);
      }
    }
    return absl::OkStatus();
  }

  MatchResult Take() {
    for (const TopK::Entry& entry : top_.Sorted()) {
      result_.ranked.push_back(Describe(view_, query_, *entry.state->segment, entry.doc, entry.candidate, entry.parts));
    }
    result_.removed_is_complete =
        options_.count_rules || result_.ranked.size() < static_cast<std::size_t>(options_.top_k);
    result_.weights = query_.weights;
    result_.relaxed = query_.relaxed;
    result_.basis = BasisOf(view_);
    return std::move(result_);
  }

 private:
  // Those near the seeker first: they are few, their closeness has no bound, and they raise the threshold. The seeker
  // is marked as near, too, and so is passed over.
  void ConsiderNeighbours(const SegmentState& state) {
    if (query_.seeker != kNone) {
      if (const auto doc = state.segment->Find(query_.seeker)) scan_.TouchNear(*doc);
    }
    std::uint32_t from = 0;
    for (const network::Neighbour& neighbour : neighbours_) {
      const auto doc = state.segment->Find(neighbour.member, &from);
      if (!doc) continue;
      scan_.TouchNear(*doc);
      if (!state.segment->LivesAt(*doc, view_.sequence)) continue;
      ++result_.candidates;
      Consider(state, *doc, &neighbour);
    }
  }

  void Consider(const SegmentState& state, std::uint32_t doc, const network::Neighbour* neighbour) {
    const HelperDocument& d = state.segment->document(doc);
    const Candidate candidate = {&d, &(*state.parts)[doc], view_.tables->members.load(d.member), neighbour,
                                 scan_.shares_rare(doc)};
    if (const auto rule = rules_.FirstBlocking(candidate)) {
      ++result_.removed[static_cast<std::size_t>(*rule)];
      return;
    }
    const ranking::Parts parts = PartsOf(view_, query_, candidate, scan_.sum(doc));
    top_.Offer({ranking::Score(query_.weights, parts), &state, doc, candidate, parts});
  }

  static thread_local InterestScan scan_;
  const View& view_;
  const Query& query_;
  const MatchOptions options_;
  const ScoreBound bound_;
  RuleChecker rules_;
  std::vector<network::Neighbour> neighbours_;
  TopK top_;
  MatchResult result_;
  std::int64_t seen_ = 0;
};

thread_local InterestScan Search::scan_;

}  // namespace

absl::StatusOr<MatchResult> Match(const View& view, const domain::Need& need, const MatchOptions& options,
                                  const StopCheck& stop) {
  const Query query = MakeQuery(view, need);
  Search search(view, query, options);
  if (absl::Status status = search.Run(stop); !status.ok()) return status;
  return search.Take();
}

Explanation Explain(const View& view, const domain::Need& need, std::string_view helper) {
  Explanation result;
  result.basis = BasisOf(view);
  const Query query = MakeQuery(view, need);
  result.weights = query.weights;
  const auto member = view.tables->members.Find(helper);
  if (!member) return result;
  for (const SegmentState& state : view.segments) {
    const Segment& segment = *state.segment;
    const auto doc = segment.Find(*member);
    if (!doc || !segment.LivesAt(*doc, view.sequence)) continue;
    result.is_helper = true;
    if (*member == query.seeker) return result;
    const auto neighbours = NeighboursOf(view, query);
    const auto near =
        std::find_if(neighbours.begin(), neighbours.end(), [&](const auto& n) { return n.member == *member; });
    std::vector<std::uint8_t> levels(query.own.size(), 0);
    Candidate candidate = {&segment.document(*doc), &(*state.parts)[*doc], view.tables->members.load(*member),
                           near == neighbours.end() ? nullptr : &*near, false};
    bool shares = false;
    for (const QueryTerm& t : query.terms) {
      const std::uint8_t raw = segment.Level(t.term, *doc);
      if (raw == 0) continue;
      shares = true;
      levels[t.own] = std::max(levels[t.own], CountedLevel(raw, t.discount));
      if (t.discount == 256 && query.own[t.own].rare) candidate.shares_rare_interest = true;
    }
    result.is_candidate = shares || candidate.neighbour != nullptr;
    RuleChecker rules(view, query);
    result.blocked_by = rules.AllBlocking(candidate);
    if (!result.is_candidate) return result;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < levels.size(); ++i) sum += query.own[i].weight * levels[i];
    result.match = Describe(view, query, segment, *doc, candidate, PartsOf(view, query, candidate, sum));
    return result;
  }
  return result;
}

}  // namespace warmline::index
