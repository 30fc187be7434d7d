// How the index keeps one helper: what the hard rules ask of all in eight bytes (`HelperFilter`), everything else in a
// row of as few bytes as it needs. Thread-safety: values; pure.
//
// A row, little-endian: member u32, open capacity u16, capacity a week u16, terms below 2^16 u8 (n), other terms u8
// (m), place of the profession among the terms u8 (255: none), involvement u8 with bit 7 set when evidence follows;
// then n terms u16, m terms u32, each ascending, n + m levels u8; then the evidence as eight varints (LEB128).
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "domain/limits.h"
#include "ranking/evidence.h"

namespace warmline::index {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// Bits of HelperFilter::flags.
inline constexpr std::uint8_t kFlagOrganization = 1;
inline constexpr std::uint8_t kFlagRemote = 2;
inline constexpr std::uint8_t kFlagPaused = 4;
inline constexpr std::uint8_t kFlagConfirmed = 8;

struct HelperFilter {
  std::uint32_t attributes = 0;  // number of an AttributeTable
  std::uint16_t help_kinds = 0;  // domain::BitOf
  std::uint8_t flags = 0;
  std::uint8_t open_to = 0;  // domain::BitOf
};
static_assert(sizeof(HelperFilter) == 8);

struct HelperTerm {
  std::uint32_t term = 0;
  std::uint8_t level = 0;
};

// A helper before it is packed.
struct HelperRow {
  std::uint32_t member = 0;
  HelperFilter filter;
  std::uint16_t open_capacity = 0;
  std::uint16_t week_capacity = 0;
  std::uint8_t involvement = 0;
  std::uint32_t profession = kNone;  // one of the terms
  std::vector<HelperTerm> terms;     // each term once
  ranking::EvidenceMass evidence;
};

// Reads a packed row where it lies.
class RowView {
 public:
  explicit RowView(const std::uint8_t* at) : at_(at) {}

  [[nodiscard]] std::uint32_t member() const { return Load<std::uint32_t>(0); }
  [[nodiscard]] std::uint16_t open_capacity() const { return Load<std::uint16_t>(4); }
  [[nodiscard]] std::uint16_t week_capacity() const { return Load<std::uint16_t>(6); }
  [[nodiscard]] std::uint8_t involvement() const { return at_[11] & 0x7f; }
  [[nodiscard]] std::uint32_t terms() const { return std::uint32_t{at_[8]} + at_[9]; }
  // kNone: no profession among the terms.
  [[nodiscard]] std::uint32_t profession() const { return at_[10] == kNoProfession ? kNone : TermAt(at_[10]); }
  [[nodiscard]] ranking::EvidenceMass evidence() const;

  // Calls f(term, level) for every term.
  template <typename F>
  void ForEachTerm(F f) const {
    const std::uint32_t narrow = at_[8];
    const std::uint32_t wide = at_[9];
    const std::uint32_t levels = kTermsAt + narrow * 2 + wide * 4;
    for (std::uint32_t i = 0; i < narrow; ++i) f(std::uint32_t{Load<std::uint16_t>(kTermsAt + i * 2)}, at_[levels + i]);
    for (std::uint32_t i = 0; i < wide; ++i) {
      f(Load<std::uint32_t>(kTermsAt + narrow * 2 + i * 4), at_[levels + narrow + i]);
    }
  }
  // The level of a term; 0 when the helper does not have it.
  [[nodiscard]] std::uint8_t Level(std::uint32_t term) const;

  // Whether bytes that came from elsewhere hold a row, of a member and terms below these.
  [[nodiscard]] static bool IsSound(std::span<const std::uint8_t> bytes, std::uint32_t members, std::uint32_t terms);
  // Leaves nothing of a row in a copy of its bytes but the number, which belongs to nobody any longer.
  static void Wipe(std::span<std::uint8_t> bytes);

 private:
  friend void PackRow(const HelperRow& row, std::vector<std::uint8_t>& out);
  static constexpr std::uint32_t kTermsAt = 12;
  static constexpr std::uint8_t kNoProfession = 255;
  static constexpr std::uint8_t kHasEvidence = 0x80;

  template <typename T>
  [[nodiscard]] T Load(std::uint32_t offset) const {
    T value;
    std::memcpy(&value, at_ + offset, sizeof value);
    return value;
  }
  [[nodiscard]] std::uint32_t TermAt(std::uint32_t i) const {
    const std::uint32_t narrow = at_[8];
    return i < narrow ? Load<std::uint16_t>(kTermsAt + i * 2)
                      : Load<std::uint32_t>(kTermsAt + narrow * 2 + (i - narrow) * 4);
  }

  const std::uint8_t* at_;
};

// What a row takes at most: the fixed fields, five bytes a term, and eight varints. And what any row does.
[[nodiscard]] inline std::size_t PackedBytesAtMost(const HelperRow& row) { return 12 + row.terms.size() * 5 + 8 * 5; }
inline constexpr std::size_t kMaxPackedRowBytes = 12 + std::size_t{domain::kMaxInterestsPerMember} * 5 + 8 * 5;

// Appends the row, without its filter.
void PackRow(const HelperRow& row, std::vector<std::uint8_t>& out);

}  // namespace warmline::index
