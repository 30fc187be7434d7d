// SnapshotSource: an index as pieces.
#include <algorithm>
#include <cstring>

#include "base/rcu.h"
#include "index/snapshot.h"

namespace warmline::index {
namespace {

// Members, names and the like of one piece; and bytes of one where things stand in a row.
constexpr std::uint32_t kPerPiece = 1U << 14;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

template <typename T>
void Append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void AppendName(std::string& out, std::string_view name, bool forgotten) {
  Append(out, forgotten ? 0U : static_cast<std::uint32_t>(name.size()) + 1);
  out.append(name);
}

// The pieces of `count` entries, each made by `append(out, i)`.
template <typename AppendEntry>
absl::Status WriteEntries(const SnapshotSource::Sink& sink, Section section, std::uint32_t count, AppendEntry append) {
  for (std::uint32_t part = 0; std::uint64_t{part} * kPerPiece < count; ++part) {
    const std::uint32_t begin = part * kPerPiece;
    const std::uint32_t end = std::min(count, begin + kPerPiece);
    std::string bytes;
    {
      const base::RcuReadGuard guard;  // a short one, so that nobody waits for the whole
      for (std::uint32_t i = begin; i < end; ++i) append(bytes, i);
    }
    if (auto status = sink({section, 0, part}, std::move(bytes)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The pieces of an array as it lies in memory.
template <typename T>
absl::Status WriteArray(const SnapshotSource::Sink& sink, Section section, std::uint32_t segment,
                        const std::vector<T>& array, const std::function<void(std::size_t, std::string&)>& edit = {}) {
  const auto* bytes = reinterpret_cast<const char*>(array.data());
  const std::size_t size = array.size() * sizeof(T);
  // Whole entries, also where an entry does not divide a piece.
  const std::size_t step = kPieceBytes - kPieceBytes % sizeof(T);
  std::uint32_t part = 0;
  for (std::size_t at = 0; at < size; at += step, ++part) {
    std::string piece(bytes + at, std::min(step, size - at));
    if (edit) edit(at, piece);
    if (auto status = sink({section, segment, part}, std::move(piece)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::vector<bool> NamesIn(std::uint32_t size, const std::vector<std::uint32_t>& free) {
  std::vector<bool> named(size, true);
  for (const std::uint32_t number : free) named[number] = false;
  return named;
}

absl::Status ErasedMeanwhile() { return absl::AbortedError("a member was erased while the snapshot was written"); }

}  // namespace

const char* NameOf(Section section) {
  switch (section) {
    case Section::kTerms:
      return "terms";
    case Section::kSets:
      return "sets";
    case Section::kAttributes:
      return "attributes";
    case Section::kMemberIds:
      return "member_ids";
    case Section::kMemberFacts:
      return "member_facts";
    case Section::kMemberLoads:
      return "member_loads";
    case Section::kBlocks:
      return "blocks";
    case Section::kTies:
      return "ties";
    case Section::kFilters:
      return "filters";
    case Section::kRows:
      return "rows";
    case Section::kRowEnds:
      return "row_ends";
    case Section::kPostingSlots:
      return "posting_slots";
    case Section::kPostingLists:
      return "posting_lists";
    case Section::kPostingChunks:
      return "posting_chunks";
    case Section::kPostings:
      return "postings";
    case Section::kDeaths:
      return "deaths";
    case Section::kAsks:
      return "asks";
  }
  return "unknown";
}

SnapshotSource::SnapshotSource(const PoolIndex& index) : tables_(index.owned_tables_), pin_(*tables_) {
  const base::RcuReadGuard guard;
  view_ = index.view();
  const network::MemberTable& members = tables_->members;
  forgotten_ = members.forgotten();
  terms_ = NamesIn(tables_->terms.size(), tables_->terms.free_numbers());
  sets_ = NamesIn(tables_->sets.size(), tables_->sets.free_numbers());
  attributes_ = NamesIn(tables_->attributes.size(), tables_->attributes.free_numbers());
  const std::uint32_t count = members.size();
  facts_.reserve(count);
  loads_.reserve(count);
  for (std::uint32_t m = 0; m < count; ++m) {
    const network::FactsView facts = members.facts(m).Read(UINT64_MAX);
    facts_.push_back(members.Id(m).empty() ? 0
                                           : 1U | (facts.exists ? 2U : 0U) | (facts.introduces ? 4U : 0U) |
                                                 std::uint64_t{facts.conflict_set} << 32);
    loads_.push_back(members.packed_load(m));
    for (const std::uint32_t blocked : facts.blocks) blocks_.emplace_back(m, blocked);
    for (const std::uint32_t bar : facts.barred) asks_.emplace_back(m, bar);
  }
  for (const std::uint32_t m : index.graph_.replaced()) {
    const network::TieList ties(*view_.ties, members, m, UINT64_MAX);
    std::vector<network::Tie>& row = replaced_ties_[m];
    for (std::size_t i = 0; i < ties.size(); ++i) row.push_back(ties[i]);
  }
  for (const SegmentState& s : view_.segments) {
    dead_bits_.push_back(s.segment->DeadBits());
    erased_.push_back(s.segment->erased());
  }
  for (std::uint32_t n = 0; n < tables_->need_ids.size(); ++n) {
    const auto* need = tables_->needs[n].Newest();
    if (need != nullptr && *need != nullptr) needs_.push_back(*need);
  }
}

absl::Status SnapshotSource::WriteTables(const Sink& sink) const {
  const auto names = [&](Section section, const std::vector<bool>& named, auto name_of) {
    return WriteEntries(sink, section, static_cast<std::uint32_t>(named.size()),
                        [&](std::string& out, std::uint32_t i) {
                          AppendName(out, named[i] ? name_of(i) : std::string_view(), !named[i]);
                        });
  };
  auto status = names(Section::kTerms, terms_, [&](std::uint32_t i) { return tables_->terms.Name(i); });
  if (!status.ok()) return status;
  status = names(Section::kSets, sets_, [&](std::uint32_t i) { return tables_->sets.Kept(i); });
  if (!status.ok()) return status;
  const auto combinations = static_cast<std::uint32_t>(attributes_.size());
  return WriteEntries(sink, Section::kAttributes, combinations, [&](std::string& out, std::uint32_t i) {
    const Attributes entry = attributes_[i] ? tables_->attributes[i] : kFreeAttributes;
    Append(out, entry.languages);
    Append(out, entry.places);
    Append(out, entry.preferences);
  });
}

absl::Status SnapshotSource::WriteMembers(const Sink& sink) const {
  const auto count = static_cast<std::uint32_t>(facts_.size());
  bool erased = false;
  auto status = WriteEntries(sink, Section::kMemberIds, count, [&](std::string& out, std::uint32_t m) {
    const std::string_view id = facts_[m] == 0 ? std::string_view() : tables_->members.Id(m);
    erased = erased || (id.empty() && facts_[m] != 0);
    AppendName(out, id, id.empty());
  });
  if (!status.ok()) return status;
  if (erased) return ErasedMeanwhile();
  status = WriteEntries(sink, Section::kMemberFacts, count,
                        [&](std::string& out, std::uint32_t m) { Append(out, facts_[m]); });
  if (!status.ok()) return status;
  status = WriteEntries(sink, Section::kMemberLoads, count,
                        [&](std::string& out, std::uint32_t m) { Append(out, loads_[m]); });
  if (!status.ok()) return status;
  for (const auto& [section, pairs] : {std::pair(Section::kBlocks, &blocks_), std::pair(Section::kAsks, &asks_)}) {
    status = WriteEntries(sink, section, static_cast<std::uint32_t>(pairs->size()),
                          [&pairs = *pairs](std::string& out, std::uint32_t i) {
                            Append(out, pairs[i].first);
                            Append(out, pairs[i].second);
                          });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SnapshotSource::WriteTies(const Sink& sink) const {
  const network::Csr& csr = *view_.ties;
  const auto ties_of = [&](std::uint32_t m, auto each) {
    if (const auto replaced = replaced_ties_.find(m); replaced != replaced_ties_.end()) {
      for (const network::Tie& tie : replaced->second) each(tie.to, tie.strength);
    } else if (m + std::size_t{1} < csr.offset.size()) {
      for (std::uint64_t i = csr.offset[m]; i < csr.offset[m + 1]; ++i) each(csr.to[i], csr.strength[i]);
    }
  };
  const auto count = static_cast<std::uint32_t>(facts_.size());
  for (std::uint32_t part = 0; std::uint64_t{part} * kPerPiece < count; ++part) {
    const std::uint32_t begin = part * kPerPiece;
    const std::uint32_t end = std::min(count, begin + kPerPiece);
    std::string counts;
    std::string ties;
    for (std::uint32_t m = begin; m < end; ++m) {
      std::uint32_t degree = 0;
      ties_of(m, [&](std::uint32_t to, std::uint8_t strength) {
        Append(ties, to);
        Append(ties, strength);
        ++degree;
      });
      Append(counts, degree);
    }
    if (auto status = sink({Section::kTies, 0, part}, counts + ties); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SnapshotSource::WriteSegment(const Sink& sink, std::uint32_t number) const {
  const Segment& segment = *view_.segments[number].segment;
  const std::vector<std::uint32_t>& row_at = segment.row_at();
  // Filters and rows of members who were erased leave nothing behind.
  std::vector<std::uint32_t> wiped;
  for (std::uint32_t doc = 0; doc < erased_[number].size(); ++doc) {
    if (erased_[number][doc]) wiped.push_back(doc);
  }
  auto status = WriteArray(sink, Section::kFilters, number, segment.filters(), [&](std::size_t at, std::string& piece) {
    for (const std::uint32_t doc : wiped) {
      const std::size_t begin = doc * sizeof(HelperFilter);
      if (begin >= at && begin < at + piece.size())
        std::fill_n(piece.begin() + static_cast<std::ptrdiff_t>(begin - at), sizeof(HelperFilter), '\0');
    }
  });
  if (!status.ok()) return status;
  status = WriteArray(sink, Section::kRows, number, segment.rows(), [&](std::size_t at, std::string& piece) {
    // The first that may reach into the piece.
    auto doc = std::lower_bound(wiped.begin(), wiped.end(), at,
                                [&](std::uint32_t d, std::size_t offset) { return row_at[d + 1] <= offset; });
    for (; doc != wiped.end() && row_at[*doc] < at + piece.size(); ++doc) {
      const auto* begin = segment.rows().data() + row_at[*doc];
      std::vector<std::uint8_t> row(begin, begin + (row_at[*doc + 1] - row_at[*doc]));
      RowView::Wipe(row);
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::size_t to = row_at[*doc] + i;
        if (to >= at && to < at + piece.size()) piece[to - at] = static_cast<char>(row[i]);
      }
    }
  });
  if (!status.ok()) return status;
  status = WriteArray(sink, Section::kRowEnds, number, row_at);
  if (!status.ok()) return status;
  if (const Postings* postings = segment.postings()) {
    const Postings::Arrays& arrays = postings->arrays();
    status = WriteArray(sink, Section::kPostingSlots, number, arrays.slot_of);
    if (status.ok()) status = WriteArray(sink, Section::kPostingLists, number, arrays.lists);
    if (status.ok()) status = WriteArray(sink, Section::kPostingChunks, number, arrays.chunks);
    if (status.ok()) status = WriteArray(sink, Section::kPostings, number, arrays.postings);
    if (!status.ok()) return status;
  }
  return WriteArray(sink, Section::kDeaths, number, dead_bits_[number]);
}

absl::Status SnapshotSource::Write(const Sink& sink) const {
  if (auto status = WriteTables(sink); !status.ok()) return status;
  if (auto status = WriteMembers(sink); !status.ok()) return status;
  if (auto status = WriteTies(sink); !status.ok()) return status;
  for (std::uint32_t number = 0; number < view_.segments.size(); ++number) {
    if (auto status = WriteSegment(sink, number); !status.ok()) return status;
  }
  // Whoever is gone now stands in none of the pieces, or in a place that the names no longer tell: this asks again.
  if (ErasedSince()) return ErasedMeanwhile();
  return absl::OkStatus();
}

}  // namespace warmline::index
