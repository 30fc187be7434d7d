// SnapshotRestorer: an index from pieces.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>

#include "base/rcu.h"
#include "index/snapshot.h"

namespace warmline::index {
namespace {

absl::Status Damaged(const PieceId& id) {
  return absl::DataLossError(absl::StrCat("the snapshot's piece ", NameOf(id.section), " ", id.segment, ".", id.part,
                                          " does not fit the others"));
}

// Reads values off the front of bytes; `ok` turns false when they do not suffice.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
  template <typename T>
  T Take() {
    T value{};
    if (rest_.size() < sizeof value) {
      ok_ = false;
      rest_ = {};
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  // A name; nothing for one that was forgotten.
  std::optional<std::string_view> TakeName() {
    const auto length = Take<std::uint32_t>();
    if (length == 0) return std::nullopt;
    if (length - 1 > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return std::nullopt;
    }
    const std::string_view name(reinterpret_cast<const char*>(rest_.data()), length - 1);
    rest_ = rest_.subspan(length - 1);
    return name;
  }
  [[nodiscard]] bool more() const { return !rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::span<const std::uint8_t> rest_;
  bool ok_ = true;
};

template <typename T>
bool AppendArray(std::vector<T>& array, std::span<const std::uint8_t> bytes) {
  if (bytes.size() % sizeof(T) != 0) return false;
  if (bytes.empty()) return true;
  const std::size_t before = array.size();
  array.resize(before + bytes.size() / sizeof(T));
  std::memcpy(array.data() + before, bytes.data(), bytes.size());
  return true;
}

}  // namespace

struct SnapshotRestorer::State {
  explicit State(const domain::Pool& pool) : index(std::make_unique<PoolIndex>(pool, 0)) { index->LeaveLargeMerges(); }

  std::unique_ptr<PoolIndex> index;
  std::optional<PieceId> last;
  std::uint32_t facts = 0;  // members whose facts came
  std::uint32_t loads = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> asks;
  network::Csr ties;
  std::vector<Segment::Arrays> segments;

  Tables& tables() { return index->tables_; }
  bool AddNames(Section section, std::span<const std::uint8_t> bytes);
  bool AddAttributes(std::span<const std::uint8_t> bytes);
  bool AddFacts(std::span<const std::uint8_t> bytes);
  bool AddLoads(std::span<const std::uint8_t> bytes);
  bool AddPairs(std::span<const std::uint8_t> bytes, bool are_asks);
  bool AddTies(std::span<const std::uint8_t> bytes);
  bool AddToSegment(const PieceId& id, std::span<const std::uint8_t> bytes);
  void WriteLists();
};

SnapshotRestorer::SnapshotRestorer(const domain::Pool& pool) : state_(std::make_unique<State>(pool)) {}
SnapshotRestorer::~SnapshotRestorer() = default;

void SnapshotRestorer::Reserve(std::uint32_t members) {
  state_->tables().members.Reserve(members);
  state_->ties.offset.reserve(members + std::size_t{1});
}

bool SnapshotRestorer::State::AddNames(Section section, std::span<const std::uint8_t> bytes) {
  Bytes in(bytes);
  while (in.more()) {
    const auto name = in.TakeName();
    if (!in.ok()) return false;
    if (section == Section::kMemberIds) {
      const std::uint32_t next = tables().members.size();
      if (!name) {
        tables().members.Skip();
      } else if (tables().members.Append(*name) != next) {
        return false;  // twice
      }
      continue;
    }
    if (section == Section::kTerms) {
      const std::uint32_t next = tables().terms.size();
      if (!name) {
        tables().terms.Skip();
      } else if (tables().terms.Append(*name) != next) {
        return false;
      }
    } else if (name) {
      tables().sets.KeepAgain(*name);
    } else {
      tables().sets.Skip();
    }
  }
  return true;
}

bool SnapshotRestorer::State::AddAttributes(std::span<const std::uint8_t> bytes) {
  Bytes in(bytes);
  while (in.more()) {
    const Attributes entry{in.Take<std::uint32_t>(), in.Take<std::uint32_t>(), in.Take<std::uint32_t>()};
    if (in.ok() && entry == kFreeAttributes) {
      tables().attributes.Skip();
      continue;
    }
    const std::uint32_t sets = tables().sets.size();
    if (!in.ok() || entry.languages >= sets || entry.places >= sets || entry.preferences >= sets) return false;
    tables().attributes.Append(entry);
  }
  return true;
}

bool SnapshotRestorer::State::AddFacts(std::span<const std::uint8_t> bytes) {
  Bytes in(bytes);
  while (in.more()) {
    const auto word = in.Take<std::uint64_t>();
    network::MemberFacts member;
    member.exists = (word & 2) != 0;
    member.introduces = (word & 4) != 0;
    member.conflict_set = static_cast<std::uint32_t>(word >> 32);
    if (!in.ok() || facts >= tables().members.size() || member.conflict_set >= tables().sets.size()) return false;
    index->member_count_ += member.exists ? 1 : 0;
    (void)tables().members.facts(facts++).Write(std::move(member), 0);  // the first: nothing is replaced
  }
  return true;
}

bool SnapshotRestorer::State::AddLoads(std::span<const std::uint8_t> bytes) {
  Bytes in(bytes);
  while (in.more()) {
    if (loads >= tables().members.size()) return false;
    tables().members.SetPackedLoad(loads++, in.Take<std::uint32_t>());
  }
  return in.ok();
}

bool SnapshotRestorer::State::AddPairs(std::span<const std::uint8_t> bytes, bool are_asks) {
  Bytes in(bytes);
  while (in.more()) {
    const auto who = in.Take<std::uint32_t>();
    const auto whom = in.Take<std::uint32_t>();
    if (!in.ok() || std::max(who, are_asks ? whom >> 1 : whom) >= tables().members.size()) return false;
    (are_asks ? asks : blocks).emplace_back(who, whom);
  }
  return true;
}

bool SnapshotRestorer::State::AddTies(std::span<const std::uint8_t> bytes) {
  constexpr std::uint32_t kPerPiece = 1U << 14;
  const std::uint32_t members = tables().members.size();
  const auto begin = static_cast<std::uint32_t>(ties.offset.size() - 1);
  if (begin >= members) return false;
  Bytes in(bytes);
  std::uint64_t at = ties.to.size();
  for (std::uint32_t m = begin; m < std::min(members, begin + kPerPiece); ++m)
    ties.offset.push_back(at += in.Take<std::uint32_t>());
  if (!in.ok() || (at - ties.to.size()) * 5 > bytes.size()) return false;
  for (std::uint64_t i = ties.to.size(); i < at; ++i) {
    ties.to.push_back(in.Take<std::uint32_t>());
    ties.strength.push_back(in.Take<std::uint8_t>());
    if (ties.to.back() >= members) return false;
  }
  return in.ok() && !in.more();
}

bool SnapshotRestorer::State::AddToSegment(const PieceId& id, std::span<const std::uint8_t> bytes) {
  if (id.segment > segments.size()) return false;
  if (id.segment == segments.size()) segments.emplace_back();
  Segment::Arrays& arrays = segments[id.segment];
  switch (id.section) {
    case Section::kFilters:
      return AppendArray(arrays.filters, bytes);
    case Section::kRows:
      return AppendArray(arrays.rows, bytes);
    case Section::kRowEnds:
      return AppendArray(arrays.row_at, bytes);
    case Section::kPostingSlots:
      return AppendArray(arrays.postings.slot_of, bytes);
    case Section::kPostingLists:
      return AppendArray(arrays.postings.lists, bytes);
    case Section::kPostingChunks:
      return AppendArray(arrays.postings.chunks, bytes);
    case Section::kPostings:
      return AppendArray(arrays.postings.postings, bytes);
    case Section::kDeaths:
      return AppendArray(arrays.dead_bits, bytes);
    default:
      return false;
  }
}

absl::Status SnapshotRestorer::Add(const PieceId& id, std::span<const std::uint8_t> bytes) {
  State& state = *state_;
  // In order: tables, members, ties; then segment by segment.
  const bool of_segment = id.section >= Section::kFilters;
  const auto key = [](const PieceId& p) {
    return std::tuple(p.section >= Section::kFilters ? p.segment + 1 : 0, p.section, p.part);
  };
  const bool goes_on = state.last && id.section == state.last->section && id.segment == state.last->segment;
  if (id.part != (goes_on ? state.last->part + 1 : 0) || (state.last && key(id) <= key(*state.last)))
    return Damaged(id);
  state.last = id;
  bool sound = false;
  const base::RcuReadGuard guard;
  switch (id.section) {
    case Section::kTerms:
    case Section::kSets:
    case Section::kMemberIds:
      sound = state.AddNames(id.section, bytes);
      break;
    case Section::kAttributes:
      sound = state.AddAttributes(bytes);
      break;
    case Section::kMemberFacts:
      sound = state.AddFacts(bytes);
      break;
    case Section::kMemberLoads:
      sound = state.AddLoads(bytes);
      break;
    case Section::kBlocks:
      sound = state.AddPairs(bytes, false);
      break;
    case Section::kAsks:
      sound = state.AddPairs(bytes, true);
      break;
    case Section::kTies:
      sound = state.AddTies(bytes);
      break;
    default:
      sound = of_segment && state.AddToSegment(id, bytes);
  }
  return sound ? absl::OkStatus() : Damaged(id);
}

void SnapshotRestorer::AddNeed(const domain::Need& need) {
  PoolIndex::Batch batch;
  state_->index->WriteNeed(batch, need.id, std::make_shared<domain::Need>(need));
  for (auto& free : batch.retire) free();
}

void SnapshotRestorer::State::WriteLists() {
  absl::flat_hash_map<std::uint32_t, network::MemberFacts> edited;
  const auto facts_of = [&](std::uint32_t m) -> network::MemberFacts& {
    const auto [entry, fresh] = edited.try_emplace(m);
    if (fresh) entry->second = tables().members.facts(m).Newest();
    return entry->second;
  };
  for (const auto& [blocker, blocked] : blocks) {
    facts_of(blocker).blocks.push_back(blocked);
    facts_of(blocked).blocked_by.push_back(blocker);
  }
  for (const auto& [seeker, bar] : asks) {
    facts_of(seeker).barred.push_back(bar);
    facts_of(network::HelperOf(bar)).barred_by.push_back(seeker);
  }
  for (auto& [m, member] : edited) {
    std::sort(member.barred.begin(), member.barred.end());  // these may name a member more than once
    std::sort(member.barred_by.begin(), member.barred_by.end());
    for (auto* list : {&member.blocks, &member.blocked_by}) {
      std::sort(list->begin(), list->end());
      list->erase(std::unique(list->begin(), list->end()), list->end());
    }
    (void)tables().members.facts(m).Write(std::move(member), 0);
  }
}

absl::StatusOr<std::unique_ptr<PoolIndex>> SnapshotRestorer::Finish(std::int64_t revision, std::int64_t epoch_hour,
                                                                    const domain::Statistics* statistics) {
  State& state = *state_;
  const std::uint32_t members = state.tables().members.size();
  if (state.facts != members || state.loads != members || state.ties.offset.size() != members + std::size_t{1})
    return absl::DataLossError("the snapshot lacks pieces of its members");
  state.WriteLists();
  PoolIndex::Batch batch;
  {
    const base::RcuReadGuard guard;
    batch.next = state.index->view();
  }
  batch.sequence = ++batch.next.sequence;
  batch.next.revision = revision;
  batch.next.epoch_hour = epoch_hour;
  batch.next.ties = std::make_shared<network::Csr>(std::move(state.ties));
  if (statistics != nullptr)
    batch.next.statistics = std::make_shared<StatisticsTable>(*statistics, state.tables().terms);
  for (Segment::Arrays& arrays : state.segments) {
    auto segment =
        Segment::Restore(std::move(arrays), members, state.tables().terms.size(), state.tables().attributes.size());
    if (segment == nullptr) return absl::DataLossError("a segment of the snapshot does not hold together");
    batch.next.segments.push_back({std::move(segment), nullptr});
  }
  state.index->Revalue(batch);
  state.index->Publish(batch);
  return std::move(state.index);
}

}  // namespace warmline::index
