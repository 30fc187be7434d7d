// A pool's index as pieces of bytes that can be kept elsewhere, and an index from them. A piece holds what stands at
// certain places of a table (members by their numbers, documents of a segment in their order), so that a change in one
// place changes one piece. Integers are little-endian. The pieces of one state, in order, are the whole of it, but for
// the pool's record, its needs and its statistics, which go beside them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "index/pool_index.h"

namespace warmline::index {

// Raised when what the pieces mean changes: older ones are then not read. 3: numbers of interests,
// sets and combinations may be free.
inline constexpr std::int64_t kSnapshotFormat = 3;

// What a piece is of. Names: u32 length + 1 (0: the number is free), bytes. `segment` and `part` are 0 where there is
// one only.
enum class Section : std::uint8_t {
  kTerms = 1,           // names of interests, by number
  kSets = 2,            // sets of attributes, by number: members in byte order, 0x1f between them
  kAttributes = 3,      // 3 u32 each: numbers of the sets of languages, places, preferences; all ones: free
  kMemberIds = 4,       // names of members, by number
  kMemberFacts = 5,     // u64 each: 1, exists << 1, introduces << 2, set of conflict keys << 32; 0: the number is free
  kMemberLoads = 6,     // u32 each: open asks, asks this week << 16
  kBlocks = 7,          // 2 u32 each: who blocks, who is blocked
  kAsks = 8,            // 2 u32 each: a seeker, and network::AskBar of a helper
  kTies = 9,            // of a range of members: u32 count of each; then u32 member, u8 strength of every tie
  kFilters = 10,        // of a segment: 8 bytes each (index/row.h)
  kRows = 11,           // rows (index/row.h), one after the other
  kRowEnds = 12,        // u32 each: where documents begin in the rows, and one more
  kPostingSlots = 13,   // u32 each: by term, the place of its list; UINT32_MAX: none
  kPostingLists = 14,   // 24 bytes each (index/postings.h, Entry)
  kPostingChunks = 15,  // 2 u32 each: chunk of 65,536 documents, where it begins in the list
  kPostings = 16,       // 3 bytes each: u16 document within the chunk, u8 strength
  kDeaths = 17,         // u64 each: a bit for each document that is dead
};
[[nodiscard]] const char* NameOf(Section section);

struct PieceId {
  Section section = Section::kTerms;
  std::uint32_t segment = 0;
  std::uint32_t part = 0;
  friend bool operator==(const PieceId&, const PieceId&) = default;
};

// One state of an index, held for writing it out. What could change is copied when it is taken (by the index's writer);
// the rest is read while the pieces are made, by any one thread, without holding up the writer.
class SnapshotSource {
 public:
  // By the index's writer.
  explicit SnapshotSource(const PoolIndex& index);

  [[nodiscard]] std::int64_t revision() const { return view_.revision; }
  [[nodiscard]] const domain::Pool& pool() const { return *view_.pool; }
  // Numbers of members, free ones included.
  [[nodiscard]] std::int64_t members() const { return static_cast<std::int64_t>(facts_.size()); }
  [[nodiscard]] std::int64_t statistics_generation() const { return view_.statistics->generation(); }
  [[nodiscard]] const std::vector<std::shared_ptr<const domain::Need>>& needs() const { return needs_; }

  // Gives every piece, in the order in which they must come back. ABORTED when a member was erased meanwhile: take
  // another one. Errors of the sink end it.
  using Sink = std::function<absl::Status(const PieceId&, std::string bytes)>;
  [[nodiscard]] absl::Status Write(const Sink& sink) const;

 private:
  absl::Status WriteTables(const Sink& sink) const;
  absl::Status WriteMembers(const Sink& sink) const;
  absl::Status WriteTies(const Sink& sink) const;
  absl::Status WriteSegment(const Sink& sink, std::uint32_t number) const;

  // Whether a member who was there at the beginning was erased since: what was read of numbers may be of others.
  [[nodiscard]] bool ErasedSince() const { return tables_->members.forgotten() != forgotten_; }

  std::shared_ptr<const Tables> tables_;
  DictionaryPin pin_;
  View view_;
  std::uint64_t forgotten_ = 0;
  // By number: whether it belonged to a name.
  std::vector<bool> terms_;
  std::vector<bool> sets_;
  std::vector<bool> attributes_;
  std::vector<std::uint64_t> facts_;
  std::vector<std::uint32_t> loads_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> asks_;
  absl::flat_hash_map<std::uint32_t, std::vector<network::Tie>> replaced_ties_;
  std::vector<std::vector<std::uint64_t>> dead_bits_;
  std::vector<std::vector<bool>> erased_;  // Segment::erased
  std::vector<std::shared_ptr<const domain::Need>> needs_;
};

// Makes an index from the pieces of one state, in order. Bytes that do not hold together are an error, never undefined.
// One thread.
class SnapshotRestorer {
 public:
  explicit SnapshotRestorer(const domain::Pool& pool);
  ~SnapshotRestorer();
  SnapshotRestorer(const SnapshotRestorer&) = delete;
  SnapshotRestorer& operator=(const SnapshotRestorer&) = delete;

  // How many members will come: room for them at once.
  void Reserve(std::uint32_t members);
  // Errors: DATA_LOSS.
  [[nodiscard]] absl::Status Add(const PieceId& id, std::span<const std::uint8_t> bytes);
  void AddNeed(const domain::Need& need);
  // Everything came. `statistics` are of the snapshot's generation, or null where that is 0. Errors: DATA_LOSS.
  [[nodiscard]] absl::StatusOr<std::unique_ptr<PoolIndex>> Finish(std::int64_t revision, std::int64_t epoch_hour,
                                                                  const domain::Statistics* statistics);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warmline::index
