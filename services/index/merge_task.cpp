#include "index/merge_task.h"

#include "ranking/evidence.h"
#include "ranking/weights.h"

namespace warmline::index {
namespace {

Segment::StaticScore ScoreBy(const Valuation& valuation, const network::MemberTable& members) {
  const domain::Weights weights = ranking::WeightsFor(valuation.pool->policy, domain::Urgency::kNormal);
  return [weights, &valuation, &members](const RowView& row) {
    const ranking::EvidenceParts parts = ranking::PartsAt(row.evidence(), valuation.pool->policy, valuation.epoch_hour);
    return StaticScoreOf(weights, row, parts, members.load(row.member()));
  };
}

SegmentState WithColumns(std::shared_ptr<Segment> segment, const Valuation& valuation,
                         const network::MemberTable& members) {
  auto columns = std::make_shared<EpochColumns>(*segment, valuation.pool->policy, valuation.epoch_hour, members);
  return {std::move(segment), std::move(columns)};
}

}  // namespace

SegmentState BuildSegment(std::span<const HelperRow> rows, const Valuation& valuation,
                          const network::MemberTable& members) {
  return WithColumns(Segment::Build(rows, ScoreBy(valuation, members)), valuation, members);
}

SegmentState MergeSegments(std::span<const std::shared_ptr<Segment>> sources, const Valuation& valuation,
                           const network::MemberTable& members, std::vector<std::uint32_t>& deaths_seen) {
  return WithColumns(Segment::Merge(sources, ScoreBy(valuation, members), deaths_seen), valuation, members);
}

}  // namespace warmline::index
