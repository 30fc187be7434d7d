#include "index/row.h"

#include <algorithm>
#include <array>
#include <bit>

namespace warmline::index {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are read where they lie");

constexpr std::uint32_t kNarrow = 1U << 16;  // terms below this need two bytes

template <typename T>
void Append(std::vector<std::uint8_t>& out, T value) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void AppendVarint(std::vector<std::uint8_t>& out, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::uint32_t ReadVarint(const std::uint8_t*& at) {
  std::uint32_t value = 0;
  for (int shift = 0;; shift += 7) {
    const std::uint8_t byte = *at++;
    value |= std::uint32_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
}

}  // namespace

void PackRow(const HelperRow& row, std::vector<std::uint8_t>& out) {
  std::vector<HelperTerm> terms = row.terms;
  std::sort(terms.begin(), terms.end(), [](const HelperTerm& x, const HelperTerm& y) { return x.term < y.term; });
  const auto wide_from =
      std::find_if(terms.begin(), terms.end(), [](const HelperTerm& t) { return t.term >= kNarrow; });
  const auto profession =
      std::find_if(terms.begin(), terms.end(), [&](const HelperTerm& t) { return t.term == row.profession; });
  const ranking::EvidenceMass& e = row.evidence;

  Append(out, row.member);
  Append(out, row.open_capacity);
  Append(out, row.week_capacity);
  Append(out, static_cast<std::uint8_t>(wide_from - terms.begin()));
  Append(out, static_cast<std::uint8_t>(terms.end() - wide_from));
  Append(out,
         profession == terms.end() ? RowView::kNoProfession : static_cast<std::uint8_t>(profession - terms.begin()));
  const bool has_evidence = e.outcome_count > 0;
  Append(out, static_cast<std::uint8_t>(row.involvement | (has_evidence ? RowView::kHasEvidence : 0)));
  for (const HelperTerm& t : terms) {
    if (t.term < kNarrow) {
      Append(out, static_cast<std::uint16_t>(t.term));
    } else {
      Append(out, t.term);
    }
  }
  for (const HelperTerm& t : terms) out.push_back(t.level);
  if (!has_evidence) return;
  AppendVarint(out, e.helped);
  AppendVarint(out, e.unhelpful);
  AppendVarint(out, e.silent);
  AppendVarint(out, e.as_of_hour);
  AppendVarint(out, e.helped_count);
  AppendVarint(out, e.outcome_count);
  // kUnknown is the largest number: one more makes it 0, and so one byte.
  AppendVarint(out, e.last_helped_hour == ranking::kUnknown ? 0 : e.as_of_hour - e.last_helped_hour + 1);
  AppendVarint(out, e.response_minutes + 1);
}

ranking::EvidenceMass RowView::evidence() const {
  ranking::EvidenceMass e;
  if ((at_[11] & kHasEvidence) == 0) return e;
  const std::uint8_t* at = at_ + kTermsAt + at_[8] * 3 + at_[9] * 5;
  e.helped = ReadVarint(at);
  e.unhelpful = ReadVarint(at);
  e.silent = ReadVarint(at);
  e.as_of_hour = ReadVarint(at);
  e.helped_count = ReadVarint(at);
  e.outcome_count = ReadVarint(at);
  const std::uint32_t since = ReadVarint(at);
  e.last_helped_hour = since == 0 ? ranking::kUnknown : e.as_of_hour - (since - 1);
  e.response_minutes = ReadVarint(at) - 1;
  return e;
}

bool RowView::IsSound(std::span<const std::uint8_t> bytes, std::uint32_t members, std::uint32_t terms) {
  if (bytes.size() < kTermsAt) return false;
  const RowView row(bytes.data());
  std::size_t size = kTermsAt + std::size_t{bytes[8]} * 3 + std::size_t{bytes[9]} * 5;
  if (row.member() >= members || size > bytes.size() || (bytes[10] != kNoProfession && bytes[10] >= row.terms()))
    return false;
  if (row.involvement() >= domain::kInvolvements) return false;
  bool sound = true;
  row.ForEachTerm([&](std::uint32_t term, std::uint8_t) { sound = sound && term < terms; });
  if ((bytes[11] & kHasEvidence) == 0) return sound;
  for (int varint = 0; varint < 8; ++varint) {
    int length = 0;
    do {
      if (size == bytes.size() || ++length > 5) return false;
    } while (bytes[size++] >= 0x80);
  }
  return sound;
}

void RowView::Wipe(std::span<std::uint8_t> bytes) {
  std::fill(bytes.begin() + sizeof(std::uint32_t), bytes.end(), 0);
  bytes[10] = kNoProfession;
}

std::uint8_t RowView::Level(std::uint32_t term) const {
  std::uint8_t found = 0;
  ForEachTerm([&](std::uint32_t t, std::uint8_t level) {
    if (t == term) found = level;
  });
  return found;
}

}  // namespace warmline::index
