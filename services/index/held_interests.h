// Which interests living helpers have, in one view: asked of few terms, as a rule it reads one posting of each.
// Ownership: refers to the view. Thread-safety: one thread, under a base::RcuReadGuard.
#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstdint>

#include "index/view.h"

namespace warmline::index {

class HeldInterests {
 public:
  // `leaving` are members who count no longer.
  explicit HeldInterests(const View& view, absl::flat_hash_set<std::uint32_t> leaving = {})
      : view_(view), leaving_(std::move(leaving)) {}

  // Whether a living helper has the term.
  [[nodiscard]] bool Has(std::uint32_t term);

 private:
  [[nodiscard]] bool Counts(const Segment& segment, std::uint32_t doc) const {
    return segment.LivesAt(doc, view_.sequence) && !leaving_.contains(segment.row(doc).member());
  }
  [[nodiscard]] bool IsPosted(const Segment& segment, std::uint32_t term) const;
  void ReadUnposted();

  const View& view_;
  const absl::flat_hash_set<std::uint32_t> leaving_;
  // Terms of segments without postings, once they were asked for.
  absl::flat_hash_set<std::uint32_t> unposted_;
  bool unposted_read_ = false;
};

}  // namespace warmline::index
