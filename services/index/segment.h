// An immutable piece of the shared-interest index: some helpers as documents, and for each interest its postings.
// Documents stand in order of member number. A document dies when its member changes; the segment itself stays as it
// is. Ownership: shared by views. Thread-safety: reads from any thread; `Kill` by one writer at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "domain/member.h"
#include "ranking/evidence.h"

namespace warmline::index {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// Bits of HelperDocument::flags.
inline constexpr std::uint8_t kFlagOrganization = 1;
inline constexpr std::uint8_t kFlagRemote = 2;
inline constexpr std::uint8_t kFlagPaused = 4;
inline constexpr std::uint8_t kFlagConfirmed = 8;

// What a query reads of one candidate: one cache line.
struct HelperDocument {
  std::uint32_t member = 0;
  std::uint32_t languages = 0;  // numbers of AttributeSets
  std::uint32_t places = 0;
  std::uint32_t preferences = 0;  // canonical interests, one of which a need must name; 0: any need
  std::uint32_t profession = kNone;
  std::uint16_t help_kinds = 0;  // domain::BitOf
  std::uint16_t open_capacity = 0;
  std::uint16_t week_capacity = 0;
  std::uint8_t flags = 0;
  std::uint8_t open_to = 0;  // domain::BitOf
  std::uint8_t involvement = 0;
  ranking::EvidenceMass evidence;
};
static_assert(sizeof(HelperDocument) == 64);

struct HelperTerm {
  std::uint32_t term = 0;
  std::uint8_t level = 0;
};

struct HelperRow {
  HelperDocument document;
  std::vector<HelperTerm> terms;  // each term once
};

struct Postings {
  std::span<const std::uint32_t> documents;  // ascending
  std::span<const std::uint8_t> levels;
};

class Segment {
 public:
  // From rows in any order, each member once.
  explicit Segment(std::vector<HelperRow> rows);
  // The living documents of two segments, which share no living member.
  [[nodiscard]] static std::shared_ptr<Segment> Merge(const Segment& a, const Segment& b);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(documents_.size()); }
  [[nodiscard]] const HelperDocument& document(std::uint32_t doc) const { return documents_[doc]; }
  [[nodiscard]] bool LivesAt(std::uint32_t doc, std::uint64_t sequence) const {
    return died_[doc].load(std::memory_order_acquire) > sequence;
  }
  // The document of a member, living or not, at or after `from`; and where the search ended, for the next, larger
  // member.
  [[nodiscard]] std::optional<std::uint32_t> Find(std::uint32_t member, std::uint32_t* from = nullptr) const;
  // Empty for a term that no document has.
  [[nodiscard]] Postings postings(std::uint32_t term) const;
  [[nodiscard]] std::span<const std::uint32_t> terms() const { return terms_; }
  // The level of a term in a document; 0 when it does not have it.
  [[nodiscard]] std::uint8_t Level(std::uint32_t term, std::uint32_t doc) const;

  // Readers of views from `sequence` on no longer see the document.
  void Kill(std::uint32_t doc, std::uint64_t sequence);
  [[nodiscard]] std::uint32_t dead() const { return dead_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t bytes() const;

 private:
  Segment() = default;
  void StartLiving();

  std::vector<HelperDocument> documents_;
  std::vector<std::uint32_t> terms_;    // ascending
  std::vector<std::uint64_t> offsets_;  // of terms_[i] in the two below; one more than terms
  std::vector<std::uint32_t> posting_documents_;
  std::vector<std::uint8_t> posting_levels_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> died_;
  std::atomic<std::uint32_t> dead_{0};
};

// The time-decayed parts of a segment's documents at one epoch, in document order.
using EpochParts = std::vector<ranking::EvidenceParts>;

}  // namespace warmline::index
