// One query over all segments of a view: which helpers are the k best, exactly. Blocks of documents come in descending
// order of what they are worth whoever asks, so the required worth of interests rises, fewer lists have to be gone
// through, and the search ends early; survivors are weighed from their rows. Memory is reused from query to query.
// Thread-safety: one Search belongs to one thread at a time, under a base::RcuReadGuard.
#pragma once

#include <absl/status/status.h>

#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "domain/types.h"
#include "index/block_scan.h"
#include "index/interest_weigher.h"
#include "index/list_plan.h"
#include "index/query.h"
#include "index/rules.h"
#include "index/top_k.h"
#include "network/neighbourhood.h"

namespace warmline::index {

// Tells a long query to stop: returns OK to go on. Asked every kDocumentsPerCheck documents gone past.
using StopCheck = std::function<absl::Status()>;
inline constexpr std::uint32_t kDocumentsPerCheck = 32'768;

// The parts of a candidate's score, given its part INTERESTS.
[[nodiscard]] ranking::Parts PartsOf(const View& view, const Query& query, const Candidate& candidate,
                                     std::uint32_t interests);

// What a search did, for counters and benchmarks.
struct SearchCounts {
  std::int64_t touched = 0;  // documents found in lists that had to be gone through
  std::int64_t weighed = 0;  // documents whose row was read
};

class Search {
 public:
  Search() = default;
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  // Errors: only those of `stop`. The view and the need must outlive what is read of the search afterwards.
  [[nodiscard]] absl::Status Run(const View& view, const domain::Need& need, int top_k, bool count_rules,
                                 const StopCheck& stop);

  [[nodiscard]] const Query& query() const { return query_; }
  // Best first.
  [[nodiscard]] std::span<const TopK::Entry> Ranked() { return top_.Sort(); }
  // Candidates, and by domain::Rule those it removed first: of everybody looked at, which is everybody when fewer than
  // top_k are ranked, or when asked for.
  [[nodiscard]] std::int64_t candidates() const { return candidates_; }
  [[nodiscard]] const std::array<std::int64_t, domain::kRules>& removed() const { return removed_; }
  [[nodiscard]] const SearchCounts& counts() const { return counts_; }

 private:
  // A document that may enter, waiting for its memory.
  struct Pending {
    const SegmentState* state = nullptr;
    std::uint32_t doc = 0;
    const network::Neighbour* neighbour = nullptr;
    InterestWeigher::Shared shared;  // once weighed
    std::uint32_t member = 0;
  };
  static constexpr std::size_t kMaxPending = 32;

  absl::Status SearchSegment(const SegmentState& state);
  absl::Status SearchPosted(const SegmentState& state);
  absl::Status SearchRows(const SegmentState& state);
  // Neighbours [first, last): their closeness is in no block's bound, so each is looked up.
  absl::Status SearchNeighbours(std::size_t first, std::size_t last);
  void Locate(const network::Neighbour& neighbour);
  absl::Status Pass(std::uint32_t documents);

  // Nothing was ruled out so far by its score, so counts can still become complete.
  [[nodiscard]] bool counting() const { return count_rules_ || top_.threshold() == 0; }
  [[nodiscard]] std::uint32_t Threshold() const { return count_rules_ ? 0 : top_.threshold(); }
  void Push(const SegmentState& state, std::uint32_t doc, const network::Neighbour* neighbour);
  void Flush();
  [[nodiscard]] bool PassesFilter(const Pending& pending);
  // Whether, by its row, it may still enter.
  [[nodiscard]] bool Weigh(Pending& pending);
  void Evaluate(const Pending& pending);
  [[nodiscard]] bool IsBelow(std::uint32_t interests, const Pending& pending) const;
  [[nodiscard]] bool IsCounted(std::uint32_t member) const;

  const View* view_ = nullptr;
  const StopCheck* stop_ = nullptr;
  bool count_rules_ = false;
  std::uint32_t unchecked_ = 0;
  Query query_;
  RuleChecker rules_;
  InterestWeigher weigher_;
  network::Neighbourhood neighbourhood_;
  ListPlan plan_;
  BlockScan scan_;
  TopK top_;
  std::array<Pending, kMaxPending> pending_;
  std::size_t pending_count_ = 0;
  std::int64_t candidates_ = 0;
  std::array<std::int64_t, domain::kRules> removed_{};
  SearchCounts counts_;
};

}  // namespace warmline::index
