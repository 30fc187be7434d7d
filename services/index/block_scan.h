// Adds up the essential lists over a range of documents, in memory that stays in the cache: 16 KiB for pools of up to
// two million, 128 KiB at most. Thread-safety: one BlockScan belongs to one thread at a time.
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
  static constexpr std::uint32_t kMinRange = 4096;
  static constexpr std::uint32_t kMaxRange = 32'768;
  static_assert(kChunkDocuments % kMaxRange == 0);

  // Goes through the essential lists of `plan` in [begin, end), and calls f(document, points) for every document found
  // there whose interests may be worth `required` points: what they are worth at most. Lists that were passed over are
  // gone through after all where that costs less than reading the rows of so many documents. Calls prefetch(document)
  // for all of them before.
  template <typename Prefetch, typename F>
  void Run(ListPlan& plan, std::uint32_t begin, std::uint32_t end, std::uint32_t required, Prefetch prefetch, F f) {
    touched_count_ = 0;
    for (PlannedList* list : plan.essential()) Walk(*list, begin, end, [&](auto& l) { Touch(l, begin, end); });
    std::uint32_t passed_over = plan.passed_over();
    Choose(touched_, touched_count_, required, passed_over);
    const auto steps = plan.given_up();
    for (std::size_t i = steps.size(); i-- > 0 && chosen_count_ > 0;) {
      const std::uint64_t cost =
          plan.PostingsIn(steps[i], end - begin) + kPostingsPerWalk * plan.lists(steps[i]).size();
      if (cost > std::uint64_t{kPostingsPerRow} * chosen_count_) break;
      for (PlannedList& list : plan.lists(steps[i]))
        Walk(list, begin, end, [&](auto& l) { AddToTouched(l, begin, end); });
      passed_over -= steps[i].bound;
      Choose(chosen_, chosen_count_, required, passed_over);
    }
    // The best first while nobody is ranked yet: the threshold rises with them, and rules the others out.
    if (begin == 0 && chosen_count_ > kBestFirst) {
      std::nth_element(chosen_.begin(), chosen_.begin() + kBestFirst, chosen_.begin() + chosen_count_,
                       [&](std::uint16_t x, std::uint16_t y) { return cells_[x] > cells_[y]; });
    }
    for (std::uint32_t i = 0; i < chosen_count_; ++i) prefetch(begin + chosen_[i]);
    for (std::uint32_t i = 0; i < chosen_count_; ++i)
      f(begin + chosen_[i], (cells_[chosen_[i]] >> kPointsShift) + passed_over);
    for (std::uint32_t i = 0; i < touched_count_; ++i) cells_[touched_[i]] = 0;
  }
  [[nodiscard]] std::uint32_t touched() const { return touched_count_; }

 private:
  // What reading a row costs, and what finding one's place in a list does: in postings gone through: from a third
  // to three times as much makes no difference that can be told from noise (docs/adr/0007).
  static constexpr std::uint32_t kPostingsPerRow = 24;
  static constexpr std::uint32_t kPostingsPerWalk = 20;
  static constexpr std::uint32_t kBestFirst = 32;

  // A word a document: the level of the own term last added (8 bits), that own term plus one (7), and points (17),
  // which saturate: more than anybody can be worth or be required to be. 0: not touched.
  static constexpr std::uint32_t kLevelMask = 0xff;
  static constexpr int kOwnShift = 8;
  static constexpr std::uint32_t kOwnMask = 0x7f00;
  static constexpr int kPointsShift = 15;
  static constexpr std::uint32_t kMaxPoints = (1U << 17) - 1;

  using Places = std::array<std::uint16_t, kMaxRange + 1>;  // one more: written before it is known to count

  template <typename F>
  static void Walk(PlannedList& list, std::uint32_t begin, std::uint32_t end, F f) {
    if (list.cursor.document() >= end) return;
    list.cursor.SkipTo(begin);
    if (list.cursor.document() < end) f(list);
  }

  // The cell of a document, with one more posting of a list.
  static std::uint32_t With(std::uint32_t cell, const PlannedList& list, std::uint8_t level) {
    const std::uint32_t own = (list.own + 1) << kOwnShift;
    const std::uint32_t before = (cell & kOwnMask) == own ? cell & kLevelMask : 0;
    const std::uint32_t best = std::max<std::uint32_t>(before, CountedLevel(level, list.discount));
    const std::uint32_t points = std::min((cell >> kPointsShift) + list.Points(best - before), kMaxPoints);
    return points << kPointsShift | own | best;
  }

  void Touch(PlannedList& list, std::uint32_t begin, std::uint32_t end) {
    std::uint32_t count = touched_count_;
    list.cursor.ForEachBefore(end, [&](std::uint32_t doc, std::uint8_t level) {
      std::uint32_t& cell = cells_[doc - begin];
      touched_[count] = static_cast<std::uint16_t>(doc - begin);
      count += cell == 0 ? 1 : 0;
      cell = With(cell, list, level);
    });
    touched_count_ = count;
  }

  // An own term whose lists are not added one after the other counts several times: still a bound, but one that may
  // pass what the whole score is worth.
  void AddToTouched(PlannedList& list, std::uint32_t begin, std::uint32_t end) {
    list.cursor.ForEachBefore(end, [&](std::uint32_t doc, std::uint8_t level) {
      std::uint32_t& cell = cells_[doc - begin];
      const std::uint32_t touched = cell == 0 ? 0 : UINT32_MAX;  // a mask: whether it is would be guessed wrongly
      cell = With(cell, list, level) & touched;
    });
  }

  // Of `count` places those whose points, with what was passed over, may suffice. `from` may be chosen_.
  void Choose(const Places& from, std::uint32_t count, std::uint32_t required, std::uint32_t passed_over) {
    std::uint32_t chosen = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint16_t at = from[i];
      chosen_[chosen] = at;
      chosen += (cells_[at] >> kPointsShift) + passed_over >= required ? 1 : 0;
    }
    chosen_count_ = chosen;
  }

  std::array<std::uint32_t, kMaxRange> cells_{};
  Places touched_{};
  Places chosen_{};
  std::uint32_t touched_count_ = 0;
  std::uint32_t chosen_count_ = 0;
};

}  // namespace warmline::index
