// Adds up the essential lists over a short range of documents, in memory that stays in the first-level cache.
// Thread-safety: one BlockScan belongs to one thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "index/list_plan.h"
#include "index/postings.h"

namespace warmline::index {

class BlockScan {
 public:
  // A range lies within a chunk of postings.
  static constexpr std::uint32_t kMaxRange = 4096;
  static_assert(kChunkDocuments % kMaxRange == 0);

  // Goes through the essential lists of `plan` in [begin, end), and calls f(document, points) for every document found
  // there: what those lists are worth for it at most.
  template <typename F>
  void Run(ListPlan& plan, std::uint32_t begin, std::uint32_t end, F f) {
    std::uint32_t count = 0;
    for (PlannedList* list : plan.essential()) {
      if (list->cursor.document() >= end) continue;
      list->cursor.SkipTo(begin);
      if (list->cursor.document() < end) count = Add(*list, begin, end, count);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t at = touched_[i];
      const std::uint32_t points = cells_[at] >> kPointsShift;
      cells_[at] = 0;
      f(begin + at, points);
    }
  }

 private:
  // A word a document: the level of the own term last added (8 bits), that own term plus one (7), and points (17: at
  // most 2^16 and a rounding for each list). 0: not touched.
  static constexpr std::uint32_t kLevelMask = 0xff;
  static constexpr int kOwnShift = 8;
  static constexpr std::uint32_t kOwnMask = 0x7f00;
  static constexpr int kPointsShift = 15;

  std::uint32_t Add(PlannedList& list, std::uint32_t begin, std::uint32_t end, std::uint32_t count) {
    const std::uint32_t own = (list.own + 1) << kOwnShift;
    list.cursor.ForEachBefore(end, [&](std::uint32_t doc, std::uint8_t level) {
      std::uint32_t& cell = cells_[doc - begin];
      touched_[count] = static_cast<std::uint16_t>(doc - begin);
      count += cell == 0 ? 1 : 0;
      const std::uint32_t before = (cell & kOwnMask) == own ? cell & kLevelMask : 0;
      const std::uint32_t best = std::max<std::uint32_t>(before, CountedLevel(level, list.discount));
      cell = ((cell & ~(kOwnMask | kLevelMask)) | own | best) + (list.Points(best - before) << kPointsShift);
    });
    return count;
  }

  std::array<std::uint32_t, kMaxRange> cells_{};
  std::array<std::uint16_t, kMaxRange + 1> touched_{};  // one more: written before it is known to count
};

}  // namespace warmline::index
