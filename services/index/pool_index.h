// The in-memory index of one pool: applies changes in order of revision, and hands out views.
// Thread-safety: `view` from any thread under a base::RcuReadGuard; everything else by one writer at a time.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "domain/change.h"
#include "index/dictionary_sweep.h"
#include "index/merge_task.h"
#include "index/view.h"

namespace warmline::index {

// What an index holds, for operators.
struct IndexState {
  std::int64_t members = 0;
  std::int64_t helpers = 0;
  std::int64_t interests = 0;
  std::int64_t directed_ties = 0;
  std::int64_t open_needs = 0;
  std::int64_t segments = 0;
  std::int64_t dead_documents = 0;
  std::int64_t epoch_hour = 0;
  // Bytes by structure. Ties and ids are reported apart (DESIGN section 10.14).
  struct Bytes {
    std::int64_t rows = 0;
    std::int64_t filters = 0;
    std::int64_t postings = 0;
    std::int64_t columns = 0;  // of the epoch
    std::int64_t lookups = 0;  // member to document
    std::int64_t deaths = 0;
    std::int64_t members = 0;
    std::int64_t dictionary = 0;
    std::int64_t ids = 0;
    std::int64_t ties = 0;
    std::int64_t needs = 0;

    // Everything but ids, ties and needs.
    [[nodiscard]] std::int64_t Helpers() const {
      return rows + filters + postings + columns + lookups + deaths + members + dictionary;
    }
    [[nodiscard]] std::int64_t All() const { return Helpers() + ids + ties + needs; }
  } bytes;
  // Entries of a table that names something by number: those in use, and those that wait for another name.
  struct Names {
    std::int64_t used = 0;
    std::int64_t free = 0;
  };
  Names member_names;
  Names need_names;
  Names interest_names;
  Names set_names;          // of languages, places, preferences, conflict keys
  Names combination_names;  // of the first three
};

// Where somebody runs merges beside the writer, a batch itself merges segments of up to this many documents only.
inline constexpr std::uint32_t kMaxInlineMerge = 2048;

// How many names more a sweep of the dictionaries waits for at least.
inline constexpr std::uint32_t kNamesBeforeSweep = 1024;

class PoolIndex {
 public:
  // An empty index at an epoch (hours since 1970).
  PoolIndex(const domain::Pool& pool, std::int64_t epoch_hour);
  // Only once no reader can hold a view.
  ~PoolIndex();
  PoolIndex(const PoolIndex&) = delete;
  PoolIndex& operator=(const PoolIndex&) = delete;

  // The key of the bonuses of exploration; without it they can be worked out by anybody. Before the index is shared.
  void UseExplorationKey(const base::SipKey& key) { tables_.exploration_key = key; }

  // The newest view. Valid while the caller's guard lives.
  [[nodiscard]] const View& view() const { return *view_.load(std::memory_order_seq_cst); }

  // Fills an empty index with whole records: much faster than `Apply`. The records must be consistent with each other.
  class Loader {
   public:
    explicit Loader(PoolIndex& index) : index_(index) {}
    void Add(const domain::Member& member);
    void Add(const domain::Connection& connection);
    void Add(const domain::Block& block);
    void Add(const domain::Need& need);
    void Add(const domain::Introduction& introduction);
    void Set(const domain::Statistics& statistics);
    // Publishes everything at a revision.
    void Finish(std::int64_t revision);

   private:
    PoolIndex& index_;
    std::vector<HelperRow> rows_;
    std::vector<network::GraphWriter::Edge> edges_;
    std::shared_ptr<const StatisticsTable> statistics_;
  };

  // A snapshot of the index is taken, and an index made from one, by these (index/snapshot.h).
  friend class SnapshotSource;
  friend class SnapshotRestorer;

  // Applies changes of ascending revisions and publishes one view of them all. A change of the pool's policy that
  // reshapes the index (synonyms, half-life) needs a new PoolIndex: see NeedsRebuild.
  void Apply(std::span<const domain::Change> changes);
  // Recomputes the time-decayed parts for a new epoch and swaps them in whole.
  void AdvanceEpoch(std::int64_t epoch_hour);

  // From now on merges of more documents than this are left to StartMerge. Without this a batch does them itself.
  void LeaveLargeMerges(std::uint32_t more_than = kMaxInlineMerge) { max_inline_merge_ = more_than; }
  // A merge that is due, unless one is under way; null otherwise.
  [[nodiscard]] std::unique_ptr<MergeTask> StartMerge();
  // Publishes what a task of this index made, once it has run; a merge that policy or epoch have overtaken is dropped,
  // and due again. Does nothing with the task of another index.
  void FinishMerge(const MergeTask& task);
  // A sweep is due once the dictionaries have got so many names more than the last one left, or a quarter more: so they
  // hold at most that much more than is used, and each new name costs a constant.
  void SweepAfter(std::uint32_t more_names) { sweep_after_ = more_names; }
  // A sweep of the dictionaries that is due, unless one is under way; null otherwise.
  [[nodiscard]] std::unique_ptr<DictionarySweep> StartSweep();
  // A sweep whether it is due or not; null where one is under way, or while a snapshot is written.
  [[nodiscard]] std::unique_ptr<DictionarySweep> SweepNow();
  // Frees what a sweep of this index found unused, once it has run, and says how many names that were. Frees nothing
  // while a snapshot is written: nullopt, and the sweep is due again. The same, and nothing else, with the sweep of
  // another index.
  std::optional<std::uint32_t> FinishSweep(const DictionarySweep& sweep);

  // The statistics of the pool as it stands, as the given generation.
  [[nodiscard]] domain::Statistics CountStatistics(std::int64_t generation) const;
  // Of the interests that `statistics` name (null: those that the pool is matched by), the ones that no living helper
  // has but those who are `leaving`. Reads no more than a few postings for each, unless documents died since the last
  // merge.
  [[nodiscard]] std::vector<std::string> InterestsWithout(std::span<const std::string> leaving,
                                                          const domain::Statistics* statistics) const;
  [[nodiscard]] IndexState State() const;

  // Whether members must be read anew when `before` becomes `after`.
  [[nodiscard]] static bool NeedsRebuild(const domain::Policy& before, const domain::Policy& after);

 private:
  // What one batch collects before it is published.
  struct Batch {
    std::uint64_t sequence = 0;
    View next;
    std::vector<HelperRow> rows;
    std::vector<std::uint32_t> erased;
    std::vector<std::uint32_t> deleted_needs;
    std::vector<std::uint32_t> edited;          // members whose facts got a version of their own
    std::vector<std::function<void()>> retire;  // run once the new view is out
  };

  void Apply(Batch& batch, const domain::Member& member);
  void Apply(Batch& batch, const domain::MemberErased& erased);
  void Apply(Batch& batch, const domain::Connection& connection);
  void Apply(Batch& batch, const domain::ConnectionDeleted& deleted);
  void Apply(Batch& batch, const domain::Block& block);
  void Apply(Batch& batch, const domain::BlockDeleted& deleted);
  void Apply(Batch& batch, const domain::Need& need);
  void Apply(Batch& batch, const domain::NeedDeleted& deleted);
  void Apply(Batch& batch, const domain::Pool& pool);
  void Apply(Batch& batch, const domain::Statistics& statistics);
  void Apply(Batch& batch, const domain::IntroductionChanged& changed);
  // What matching does not know of.
  void Apply(Batch&, const domain::Notice&) {}
  void Apply(Batch&, const domain::IntroductionErased&) {}
  void Apply(Batch&, std::monostate) {}

  [[nodiscard]] HelperRow MakeRow(std::uint32_t number, const domain::Member& member, const domain::Policy& policy);
  // Numbers of names, which a sweep that is under way learns of.
  [[nodiscard]] std::uint32_t TermOf(std::string_view canonical);
  [[nodiscard]] std::uint32_t SetOf(std::vector<std::string> members);
  [[nodiscard]] std::uint32_t CombinationOf(const Attributes& attributes);
  void KillDocument(Batch& batch, std::uint32_t member, bool erased = false);
  // Keeps needs_of_ true, when a need becomes another (null: there is none).
  void CountNeed(std::uint32_t number, const domain::Need* before, const domain::Need* after);
  void EraseNeedsOf(Batch& batch, std::string_view seeker);
  [[nodiscard]] std::size_t BytesOfSeekers() const;
  void EditFacts(Batch& batch, std::uint32_t member, const std::function<void(network::MemberFacts&)>& edit);
  void WriteNeed(Batch& batch, std::string_view id, std::shared_ptr<const domain::Need> need);
  [[nodiscard]] Valuation ValuationOf(const View& view) const { return {view.pool, view.epoch_hour}; }
  void AddSegment(Batch& batch);
  void MergeInline(Batch& batch);
  void Revalue(Batch& batch) const;
  void SettleFacts(Batch& batch);
  void Publish(Batch& batch);
  void ForgetErased(const Batch& batch);

  // Facts written at a sequence, which older views may not see: settled once those are gone.
  struct Unsettled {
    std::uint64_t stamp = 0;
    std::uint64_t sequence = 0;
    std::uint32_t member = 0;
  };

  std::shared_ptr<Tables> owned_tables_ = std::make_shared<Tables>();
  Tables& tables_ = *owned_tables_;
  network::GraphWriter graph_{tables_.members};
  std::atomic<const View*> view_;
  std::int64_t member_count_ = 0;
  std::int64_t open_need_count_ = 0;
  std::int64_t need_bytes_ = 0;
  // Numbers of needs, by base::Hash64 of their seeker.
  absl::flat_hash_map<std::uint64_t, std::vector<std::uint32_t>> needs_of_;
  std::uint64_t max_inline_merge_ = UINT64_MAX;
  std::vector<std::shared_ptr<Segment>> merging_;  // sources of the task under way
  std::deque<Unsettled> unsettled_;
  std::unique_ptr<DictionaryUse> used_meanwhile_;  // while a sweep is under way
  std::uint32_t names_left_ = 0;                   // by the last sweep
  std::uint32_t sweep_after_ = kNamesBeforeSweep;
};

}  // namespace warmline::index
