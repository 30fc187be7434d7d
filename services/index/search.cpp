#include "index/search.h"

#include <algorithm>
#include <bit>

#include "ranking/weights.h"

namespace warmline::index {
namespace {

using domain::Part;

// The first ranges are short, so that the threshold rises before many documents were weighed.
constexpr std::uint32_t kFirstRange = kBlockDocuments;
// A large segment is gone through in about so many.
constexpr std::uint32_t kRanges = 256;

}  // namespace

ranking::Parts PartsOf(const View& view, const Query& query, const Candidate& candidate, std::uint32_t interests) {
  const RowView row = candidate.row();
  ranking::Parts parts{};
  const auto set = [&](Part part, std::uint32_t value) { parts[static_cast<std::size_t>(part)] = value; };
  set(Part::kInterests, interests);
  set(Part::kHelpfulness, candidate.parts.helpfulness);
  set(Part::kResponsiveness, candidate.parts.responsiveness);
  set(Part::kInvolvement, ranking::InvolvementValue(static_cast<domain::Involvement>(row.involvement())));
  set(Part::kAvailability, ranking::Availability(row.open_capacity(), row.week_capacity(), candidate.load));
  set(Part::kCloseness, candidate.neighbour == nullptr ? 0 : candidate.neighbour->closeness);
  set(Part::kExploration,
      ranking::Exploration(candidate.parts.novelty, query.exploration, view.tables->members.IdHash(candidate.member)));
  return parts;
}

absl::Status Search::Run(const View& view, const domain::Need& need, int top_k, bool count_rules,
                         const StopCheck& stop) {
  view_ = &view;
  stop_ = &stop;
  count_rules_ = count_rules;
  unchecked_ = 0;
  pending_count_ = 0;
  candidates_ = 0;
  removed_ = {};
  counts_ = {};
  MakeQuery(view, need, query_);
  rules_.Prepare(view, query_);
  weigher_.Prepare(query_);
  top_.Prepare(top_k, view.tables->members);
  static_assert(network::kNobody == kNone);
  neighbourhood_.Collect(*view.ties, view.tables->members, query_.seeker, view.sequence,
                         view.pool->policy.second_degree_decay);
  // Contacts first: they are few, and raise the threshold. The second degree last: most of it is below by then.
  const std::size_t near = neighbourhood_.first_degree();
  if (absl::Status status = SearchNeighbours(0, near); !status.ok()) return status;
  for (const SegmentState& state : view.segments) {
    if (absl::Status status = SearchSegment(state); !status.ok()) return status;
  }
  return SearchNeighbours(near, neighbourhood_.all().size());
}

absl::Status Search::Pass(std::uint32_t documents) {
  unchecked_ += documents;
  if (unchecked_ < kDocumentsPerCheck) return absl::OkStatus();
  unchecked_ = 0;
  return (*stop_)();
}

absl::Status Search::SearchSegment(const SegmentState& state) {
  absl::Status status = state.segment->postings() == nullptr ? SearchRows(state) : SearchPosted(state);
  Flush();
  return status;
}

absl::Status Search::SearchPosted(const SegmentState& state) {
  const Segment& segment = *state.segment;
  const EpochColumns::Bounds& bounds = state.columns->bounds(query_.shift);
  plan_.Prepare(query_, *segment.postings(), segment.size());
  const std::uint32_t most = plan_.most() * kUnitsPerPoint;
  // A constant share of the documents: shorter ranges have tighter bounds, longer ones find their place in lists less
  // often.
  const std::uint32_t full_range =
      std::clamp(std::bit_floor(segment.size() / kRanges), BlockScan::kMinRange, BlockScan::kMaxRange);
  std::uint32_t range = kFirstRange;
  for (std::uint32_t begin = 0; begin < segment.size();) {
    const std::uint32_t block = begin / kBlockDocuments;
    std::uint32_t threshold = Threshold();
    if (bounds.rest[block] + most < threshold) break;
    if (begin >= full_range) range = full_range;
    const std::uint32_t end = std::min(begin + range, segment.size());
    std::uint32_t best = 0;
    for (std::uint32_t b = block; b * kBlockDocuments < end; ++b) best = std::max(best, bounds.block[b]);
    if (best + most >= threshold) {
      // Floored, so that whoever is worth less than so many points cannot even tie.
      const std::uint32_t required = threshold > best ? (threshold - best) / kUnitsPerPoint : 0;
      plan_.Require(required);
      scan_.Run(
          plan_, begin, end, required, [&](std::uint32_t doc) { __builtin_prefetch(&bounds.document[doc]); },
          [&](std::uint32_t doc, std::uint32_t points) {
            if (points * kUnitsPerPoint + bounds.Of(doc) < threshold) return;
            Push(state, doc, nullptr);
            threshold = Threshold();
          });
      counts_.touched += scan_.touched();
    }
    if (absl::Status status = Pass(end - begin); !status.ok()) return status;
    begin = end;
  }
  return absl::OkStatus();
}

absl::Status Search::SearchRows(const SegmentState& state) {
  const Segment& segment = *state.segment;
  const EpochColumns::Bounds& bounds = state.columns->bounds(query_.shift);
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    if (bounds.Of(doc) + query_.weights[0] < Threshold()) continue;
    Push(state, doc, nullptr);
  }
  return Pass(segment.size());
}

absl::Status Search::SearchNeighbours(std::size_t first, std::size_t last) {
  const auto all = neighbourhood_.all();
  for (; first < last; first += kMaxPending) {
    const auto group = all.subspan(first, std::min(kMaxPending, last - first));
    if (!view_->segments.empty()) {
      for (const network::Neighbour& n : group) view_->segments.front().segment->PrefetchMember(n.member);
    }
    pending_count_ = 0;
    for (const network::Neighbour& n : group) Locate(n);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < pending_count_; ++i) {
      if (!IsBelow(domain::kOne, pending_[i])) pending_[kept++] = pending_[i];
    }
    pending_count_ = kept;
    Flush();
    if (absl::Status status = Pass(static_cast<std::uint32_t>(group.size())); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Adds the living document of a neighbour, if there is one.
void Search::Locate(const network::Neighbour& neighbour) {
  for (const SegmentState& state : view_->segments) {
    const auto doc = state.segment->Find(neighbour.member);
    if (!doc || !state.segment->LivesAt(*doc, view_->sequence)) continue;
    state.columns->PrefetchBound(query_.shift, *doc);
    state.segment->Prefetch(*doc);
    pending_[pending_count_++] = {&state, *doc, &neighbour, {}, 0};
    return;
  }
}

void Search::Push(const SegmentState& state, std::uint32_t doc, const network::Neighbour* neighbour) {
  state.segment->Prefetch(doc);
  pending_[pending_count_++] = {&state, doc, neighbour, {}, 0};
  if (pending_count_ == kMaxPending) Flush();
}

// In rounds, each over all that wait, so that what the next round reads of one is fetched while the others are looked
// at: the filter, then the row, then what the whole score needs.
void Search::Flush() {
  const auto round = [&](auto keep, auto prefetch) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < pending_count_; ++i) {
      if (!keep(pending_[i])) continue;
      prefetch(pending_[i]);
      pending_[kept++] = pending_[i];
    }
    pending_count_ = kept;
  };
  round([&](const Pending& p) { return PassesFilter(p); },
        [](const Pending& p) { p.state->segment->PrefetchRow(p.doc); });
  round([&](Pending& p) { return Weigh(p); },
        [&](const Pending& p) {
          p.state->columns->Prefetch(p.doc);
          view_->tables->members.Prefetch(p.member);
        });
  for (std::size_t i = 0; i < pending_count_; ++i) Evaluate(pending_[i]);
  pending_count_ = 0;
}

bool Search::PassesFilter(const Pending& pending) {
  const Segment& segment = *pending.state->segment;
  if (!segment.LivesAt(pending.doc, view_->sequence)) return false;
  // Without postings it is not known yet whether the document is a candidate at all, so no rule may count it.
  const bool is_candidate = pending.neighbour != nullptr || segment.postings() != nullptr;
  if (!is_candidate && counting()) return true;
  const auto rule = rules_.FirstBlocking(segment.filter(pending.doc));
  if (!rule) return true;
  if (counting() && (pending.neighbour != nullptr || IsCounted(segment.row(pending.doc).member()))) {
    ++candidates_;
    ++removed_[static_cast<std::size_t>(*rule)];
  }
  return false;
}

// Neighbours are counted, and looked at, by themselves; the seeker never.
bool Search::IsCounted(std::uint32_t member) const {
  return member != query_.seeker && neighbourhood_.Find(member) == nullptr;
}

bool Search::IsBelow(std::uint32_t interests, const Pending& pending) const {
  const std::uint32_t threshold = Threshold();
  if (threshold == 0) return false;
  std::uint32_t bound = ranking::Contribution(query_.weights[0], interests) +
                        pending.state->columns->bounds(query_.shift).Of(pending.doc);
  if (pending.neighbour != nullptr) {
    bound +=
        ranking::Contribution(query_.weights[static_cast<std::size_t>(Part::kCloseness)], pending.neighbour->closeness);
  }
  return bound < threshold;
}

bool Search::Weigh(Pending& pending) {
  const RowView row = pending.state->segment->row(pending.doc);
  ++counts_.weighed;
  pending.shared = weigher_.Weigh(row);
  if (!pending.shared.any && pending.neighbour == nullptr) return false;
  if (IsBelow(InterestsPart(pending.shared.sum, query_.total_weight), pending)) return false;
  pending.member = row.member();
  return pending.neighbour != nullptr || IsCounted(pending.member);
}

void Search::Evaluate(const Pending& pending) {
  const std::uint32_t interests = InterestsPart(pending.shared.sum, query_.total_weight);
  if (IsBelow(interests, pending)) return;  // the threshold has risen since
  ++candidates_;
  const Candidate candidate = {pending.state->segment.get(),
                               pending.doc,
                               pending.member,
                               pending.state->columns->parts(pending.doc),
                               view_->tables->members.load(pending.member),
                               pending.neighbour,
                               pending.shared.own_rare};
  if (const auto rule = rules_.FirstBlocking(candidate)) {
    ++removed_[static_cast<std::size_t>(*rule)];
    return;
  }
  const ranking::Parts parts = PartsOf(*view_, query_, candidate, interests);
  top_.Offer({ranking::Score(query_.weights, parts), candidate, parts});
}

}  // namespace warmline::index
