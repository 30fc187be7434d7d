// A merge of segments away from the writing thread: the writer starts it, any thread runs it, and the writer installs
// what came of it, following the deaths that happened meanwhile. Neither readers nor the writer wait for it.
// Ownership: holds what it reads. Thread-safety: one thread at a time.
#pragma once

#include <memory>
#include <vector>

#include "index/view.h"

namespace warmline::index {

// Segments whose documents are worth the same whenever they are asked: policy and epoch of their order and columns.
struct Valuation {
  std::shared_ptr<const domain::Pool> pool;
  std::int64_t epoch_hour = 0;
};

// A segment of rows, or of the living documents of others, with its columns. Loads are read as they are: whose load
// changes meanwhile gets a new document, and the one here dies.
[[nodiscard]] SegmentState BuildSegment(std::span<const HelperRow> rows, const Valuation& valuation,
                                        const network::MemberTable& members);
[[nodiscard]] SegmentState MergeSegments(std::span<const std::shared_ptr<Segment>> sources, const Valuation& valuation,
                                         const network::MemberTable& members, std::vector<std::uint32_t>& deaths_seen);

class MergeTask {
 public:
  MergeTask(std::shared_ptr<const Tables> tables, Valuation valuation, std::vector<std::shared_ptr<Segment>> sources)
      : tables_(std::move(tables)), valuation_(std::move(valuation)), sources_(std::move(sources)) {}

  void Run() { merged_ = MergeSegments(sources_, valuation_, tables_->members, deaths_seen_); }

 private:
  friend class PoolIndex;

  std::shared_ptr<const Tables> tables_;
  Valuation valuation_;
  std::vector<std::shared_ptr<Segment>> sources_;
  std::vector<std::uint32_t> deaths_seen_;
  SegmentState merged_;
};

}  // namespace warmline::index
