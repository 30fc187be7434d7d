#include "index/held_interests.h"

#include <algorithm>

#include "base/rcu.h"
#include "index/pool_index.h"

namespace warmline::index {

bool HeldInterests::IsPosted(const Segment& segment, std::uint32_t term) const {
  const Postings::List list = segment.postings()->list(term);
  for (std::size_t c = 0; c < list.chunks.size(); ++c) {
    const std::uint32_t end = c + 1 < list.chunks.size() ? list.chunks[c + 1].begin : list.size;
    for (std::uint32_t i = list.chunks[c].begin; i < end; ++i) {
      if (Counts(segment, list.chunks[c].number * kChunkDocuments + list.document(i))) return true;
    }
  }
  return false;
}

void HeldInterests::ReadUnposted() {
  unposted_read_ = true;
  for (const SegmentState& state : view_.segments) {
    const Segment& segment = *state.segment;
    if (segment.postings() != nullptr) continue;
    for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
      if (!Counts(segment, doc)) continue;
      segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t) { unposted_.insert(term); });
    }
  }
}

bool HeldInterests::Has(std::uint32_t term) {
  const bool posted = std::any_of(view_.segments.begin(), view_.segments.end(), [&](const SegmentState& state) {
    return state.segment->postings() != nullptr && IsPosted(*state.segment, term);
  });
  if (posted) return true;
  if (!unposted_read_) ReadUnposted();
  return unposted_.contains(term);
}

std::vector<std::string> PoolIndex::InterestsWithout(std::span<const std::string> leaving,
                                                     const domain::Statistics* statistics) const {
  const base::RcuReadGuard guard;
  const View& v = view();
  absl::flat_hash_set<std::uint32_t> numbers;
  for (const std::string& id : leaving) {
    if (const auto member = tables_.members.Find(id)) numbers.insert(*member);
  }
  HeldInterests held(v, std::move(numbers));
  std::vector<std::string> names;
  if (statistics == nullptr) {
    for (const std::uint32_t term : v.statistics->by_name()) {
      if (!held.Has(term)) names.emplace_back(tables_.terms.Name(term));
    }
    return names;
  }
  // A name without a number came with a generation that this index has not seen: somebody may have it.
  for (const domain::InterestStatistics& interest : statistics->interests) {
    const auto term = tables_.terms.Find(interest.canonical);
    if (term && !held.Has(*term)) names.push_back(interest.canonical);
  }
  return names;
}

}  // namespace warmline::index
