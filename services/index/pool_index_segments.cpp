// The segments of a PoolIndex: a log-structured merge tree (O'Neil et al. 1996).
#include <algorithm>

#include "base/rcu.h"
#include "index/pool_index.h"

namespace warmline::index {
namespace {

// A segment holds at least so many times the documents of all that follow it, so a pool of n helpers has at most
// log(n) to this base of them.
constexpr std::uint64_t kSizeRatio = 4;

std::uint64_t Living(const SegmentState& s) { return s.segment->size() - s.segment->dead(); }

bool IsHalfDead(const SegmentState& s) { return s.segment->dead() * std::uint64_t{2} > s.segment->size(); }

// The first of the segments that are due to be merged with all that follow, together of at most `most` documents; their
// number when none is.
std::size_t FirstDue(std::span<const SegmentState> segments, std::uint64_t most) {
  std::uint64_t documents = 0;
  std::size_t bytes = 0;
  std::size_t first = segments.size();
  for (std::size_t i = segments.size(); i-- > 0;) {
    const std::uint64_t living = Living(segments[i]);
    bytes += segments[i].segment->row_bytes();
    if (documents + living > most || bytes > Segment::kMaxRowBytes) break;
    const bool due = documents > 0 && living < kSizeRatio * documents;
    documents += living;
    if (due || IsHalfDead(segments[i])) first = i;
  }
  return first;
}

std::vector<std::shared_ptr<Segment>> Sources(std::span<const SegmentState> segments) {
  std::vector<std::shared_ptr<Segment>> sources;
  for (const SegmentState& s : segments) sources.push_back(s.segment);
  return sources;
}

}  // namespace

void PoolIndex::AddSegment(Batch& batch) {
  std::span<const HelperRow> rows = batch.rows;
  while (!rows.empty()) {  // once, but for a start with tens of millions of helpers
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < rows.size() && bytes <= Segment::kMaxRowBytes - kMaxPackedRowBytes; ++count)
      bytes += PackedBytesAtMost(rows[count]);
    batch.next.segments.push_back(BuildSegment(rows.first(count), ValuationOf(batch.next), tables_.members));
    rows = rows.subspan(count);
  }
}

void PoolIndex::MergeInline(Batch& batch) {
  auto& segments = batch.next.segments;
  const auto is_merging = [&](const SegmentState& s) {
    return std::find(merging_.begin(), merging_.end(), s.segment) != merging_.end();
  };
  std::erase_if(segments, [&](const SegmentState& s) { return Living(s) == 0 && !is_merging(s); });
  // What a task merges stays as it is; only what came after is looked at.
  const auto last_merging = std::find_if(segments.rbegin(), segments.rend(), is_merging);
  const auto mine = static_cast<std::size_t>(segments.rend() - last_merging);
  const std::span<const SegmentState> tail = std::span(segments).subspan(mine);
  const std::size_t first = FirstDue(tail, max_inline_merge_);
  if (first == tail.size()) return;
  std::vector<std::uint32_t> deaths_seen;  // the writer is here: nobody dies meanwhile
  SegmentState merged =
      MergeSegments(Sources(tail.subspan(first)), ValuationOf(batch.next), tables_.members, deaths_seen);
  segments.resize(mine + first);
  if (merged.segment->size() > 0) segments.push_back(std::move(merged));
}

std::unique_ptr<MergeTask> PoolIndex::StartMerge() {
  if (!merging_.empty()) return nullptr;
  const base::RcuReadGuard guard;
  const std::span<const SegmentState> segments = view().segments;
  const std::size_t first = FirstDue(segments, UINT64_MAX);
  if (first == segments.size()) return nullptr;
  merging_ = Sources(segments.subspan(first));
  return std::make_unique<MergeTask>(owned_tables_, ValuationOf(view()), merging_);
}

void PoolIndex::FinishMerge(const MergeTask& task) {
  if (task.tables_ != owned_tables_) return;
  merging_.clear();
  Batch batch;
  {
    const base::RcuReadGuard guard;
    batch.next = view();
  }
  if (task.valuation_.epoch_hour != batch.next.epoch_hour ||
      task.valuation_.pool->policy.version != batch.next.pool->policy.version)
    return;
  batch.sequence = ++batch.next.sequence;
  for (std::size_t i = 0; i < task.sources_.size(); ++i)
    task.merged_.segment->FollowDeaths(*task.sources_[i], task.deaths_seen_[i]);
  auto& segments = batch.next.segments;
  const auto first = std::find_if(segments.begin(), segments.end(),
                                  [&](const SegmentState& s) { return s.segment == task.sources_.front(); });
  const auto last = segments.erase(first, first + static_cast<std::ptrdiff_t>(task.sources_.size()));
  if (task.merged_.segment->size() > 0) segments.insert(last, task.merged_);
  Publish(batch);
}

void PoolIndex::Revalue(Batch& batch) const {
  const Valuation valuation = ValuationOf(batch.next);
  for (SegmentState& state : batch.next.segments) {
    state.columns =
        std::make_shared<EpochColumns>(*state.segment, valuation.pool->policy, valuation.epoch_hour, tables_.members);
  }
}

void PoolIndex::AdvanceEpoch(std::int64_t epoch_hour) {
  Batch batch;
  {
    const base::RcuReadGuard guard;
    batch.next = view();
  }
  batch.next.epoch_hour = epoch_hour;
  Revalue(batch);
  Publish(batch);
}

}  // namespace warmline::index
