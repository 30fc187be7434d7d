#include "index/epoch_columns.h"

#include <algorithm>

#include "ranking/score.h"
#include "ranking/weights.h"

namespace warmline::index {

using domain::Part;
using domain::Urgency;

std::uint32_t StaticScoreOf(const domain::Weights& weights, const RowView& row, const ranking::EvidenceParts& parts,
                            const domain::Load& load) {
  ranking::Parts all{};
  const auto set = [&](Part part, std::uint32_t value) { all[static_cast<std::size_t>(part)] = value; };
  set(Part::kHelpfulness, parts.helpfulness);
  set(Part::kResponsiveness, parts.responsiveness);
  set(Part::kInvolvement, ranking::InvolvementValue(static_cast<domain::Involvement>(row.involvement())));
  set(Part::kAvailability, ranking::Availability(row.open_capacity(), row.week_capacity(), load));
  set(Part::kExploration, parts.novelty);  // times a hash below 1
  return ranking::Score(weights, all);
}

int EpochColumns::ShiftOf(Urgency urgency) {
  if (urgency == Urgency::kImmediate) return 2;
  return urgency == Urgency::kHigh ? 1 : 0;
}

EpochColumns::EpochColumns(const Segment& segment, const domain::Policy& policy, std::int64_t epoch_hour,
                           const network::MemberTable& members) {
  const std::array<domain::Weights, kShifts> weights = {ranking::WeightsFor(policy, Urgency::kNormal),
                                                        ranking::WeightsFor(policy, Urgency::kHigh),
                                                        ranking::WeightsFor(policy, Urgency::kImmediate)};
  const std::size_t blocks = (segment.size() + std::size_t{kBlockDocuments} - 1) / kBlockDocuments;
  parts_.resize(segment.size());
  for (Bounds& b : bounds_) {
    b.document.resize(segment.size());
    b.block.assign(blocks, 0);
  }
  const ranking::EvidenceParts unproven = ranking::PartsAt({}, policy, epoch_hour);
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    const RowView row = segment.row(doc);
    const ranking::EvidenceMass mass = row.evidence();
    const ranking::EvidenceParts parts =
        mass.outcome_count == 0 ? unproven : ranking::PartsAt(mass, policy, epoch_hour);
    parts_[doc] = parts.helpfulness | std::uint64_t{parts.responsiveness} << 21 | std::uint64_t{parts.novelty} << 42;
    const domain::Load load = members.load(row.member());
    for (std::size_t shift = 0; shift < kShifts; ++shift) {
      const std::uint32_t score = StaticScoreOf(weights[shift], row, parts, load);
      Bounds& b = bounds_[shift];
      b.document[doc] = static_cast<std::uint8_t>(std::min<std::uint32_t>(255, score >> kDocumentShift));
      b.block[doc / kBlockDocuments] = std::max(b.block[doc / kBlockDocuments], score);
    }
  }
  for (Bounds& b : bounds_) {
    b.rest = b.block;
    for (std::size_t i = b.rest.size(); i-- > 1;) b.rest[i - 1] = std::max(b.rest[i - 1], b.rest[i]);
  }
}

std::size_t EpochColumns::bytes() const {
  std::size_t bytes = parts_.capacity() * 8;
  for (const Bounds& b : bounds_) bytes += b.document.capacity() + (b.block.capacity() + b.rest.capacity()) * 4;
  return bytes;
}

}  // namespace warmline::index
