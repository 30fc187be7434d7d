// PoolIndex::State: what an index holds.
#include "base/rcu.h"
#include "index/pool_index.h"

namespace warmline::index {
namespace {
std::int64_t Signed(std::size_t bytes) { return static_cast<std::int64_t>(bytes); }

template <typename Table>
IndexState::Names NamesOf(const Table& table) {
  return {std::int64_t{table.size()} - table.free(), table.free()};
}
}  // namespace

IndexState PoolIndex::State() const {
  const base::RcuReadGuard guard;
  const View& v = view();
  IndexState state;
  state.members = member_count_;
  state.epoch_hour = v.epoch_hour;
  state.open_needs = open_need_count_;
  state.member_names = NamesOf(tables_.members);
  state.need_names = NamesOf(tables_.need_ids);
  state.interest_names = NamesOf(tables_.terms);
  state.set_names = NamesOf(tables_.sets);
  state.combination_names = NamesOf(tables_.attributes);
  state.interests = state.interest_names.used;
  state.segments = static_cast<std::int64_t>(v.segments.size());
  IndexState::Bytes& bytes = state.bytes;
  for (const SegmentState& s : v.segments) {
    state.helpers += s.segment->size() - s.segment->dead();
    state.dead_documents += s.segment->dead();
    const Segment::Bytes held = s.segment->bytes();
    bytes.rows += Signed(held.rows);
    bytes.filters += Signed(held.filters);
    bytes.postings += Signed(held.postings);
    bytes.lookups += Signed(held.members);
    bytes.deaths += Signed(held.deaths);
    bytes.columns += Signed(s.columns->bytes());
  }
  state.directed_ties = static_cast<std::int64_t>(v.ties->to.size());
  for (const std::uint32_t member : graph_.replaced()) {
    const auto row = static_cast<std::int64_t>(network::TieList(*v.ties, tables_.members, member, v.sequence).size());
    const bool in_csr = member + std::size_t{1} < v.ties->offset.size();
    state.directed_ties +=
        row - (in_csr ? static_cast<std::int64_t>(v.ties->offset[member + 1] - v.ties->offset[member]) : 0);
    bytes.ties += row * Signed(sizeof(network::Tie));
  }
  bytes.ties += Signed(v.ties->bytes() + tables_.members.tie_slot_bytes());
  bytes.members = Signed(tables_.members.slot_bytes() + unsettled_.size() * sizeof(Unsettled));
  bytes.ids = Signed(tables_.members.id_bytes());
  bytes.needs = Signed(tables_.need_ids.bytes() + tables_.needs.bytes()) + need_bytes_ + Signed(BytesOfSeekers());
  bytes.dictionary =
      Signed(tables_.terms.bytes() + tables_.sets.bytes() + tables_.attributes.bytes() + v.statistics->bytes());
  return state;
}

}  // namespace warmline::index
