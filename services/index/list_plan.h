// Which lists of a query must be gone through to find every helper whose interests are worth enough, and which may be
// passed over: MaxScore (Turtle and Flood 1995), where an own term with its related lists bounds by its largest, and
// lists are given up in order of postings saved for the bound spent. Thread-safety: one ListPlan belongs to one thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/postings.h"
#include "index/query.h"

namespace warmline::index {

// Interests are weighed in points of this many units of the score, rounded up, so that sums fit beside other things in
// a word.
inline constexpr std::uint32_t kUnitsPerPoint = 16;

struct PlannedList {
  PostingCursor cursor;
  std::uint32_t own = 0;
  std::uint32_t discount = 0;
  std::uint32_t rate = 0;   // points a level, times 256, rounded up
  std::uint32_t bound = 0;  // points that a posting is worth at most
  std::uint32_t size = 0;
  std::uint32_t given_up_at = 0;  // how many steps leave it out

  // At least what `levels` more of an own term are worth.
  [[nodiscard]] std::uint32_t Points(std::uint32_t levels) const { return (levels * rate >> 8) + 1; }
};

class ListPlan {
 public:
  // Lists of an own term that are given up together, after its lists of smaller bounds.
  struct Step {
    std::uint32_t bound = 0;     // points more that are passed over
    std::uint64_t postings = 0;  // that are saved
    std::uint32_t first = 0;     // in lists_, sorted by bound within an own term
    std::uint32_t last = 0;
  };

  // `documents`: how many the postings are of.
  void Prepare(const Query& query, const Postings& postings, std::uint32_t documents);
  // More than any helper's interests are worth: points.
  [[nodiscard]] std::uint32_t most() const { return most_; }
  // From now on only helpers worth at least `points` are looked for.
  void Require(std::uint32_t points);
  // The lists that such a helper must stand in at least one of; by own term.
  [[nodiscard]] std::span<PlannedList* const> essential() const { return essential_; }
  // What the other lists together are worth at most.
  [[nodiscard]] std::uint32_t passed_over() const { return passed_over_; }
  // The steps that leave them out, in order of postings saved for the bound spent.
  [[nodiscard]] std::span<const Step> given_up() const { return {steps_.data(), taken_}; }
  [[nodiscard]] std::span<PlannedList> lists(const Step& step) {
    return {lists_.data() + step.first, step.last - step.first};
  }
  // How many postings of a step lie in a range of so many documents, about.
  [[nodiscard]] std::uint64_t PostingsIn(const Step& step, std::uint32_t range) const {
    return step.postings * range / documents_;
  }

 private:
  void AddSteps(std::uint32_t first, std::uint32_t last);

  std::vector<PlannedList> lists_;
  std::vector<Step> steps_;
  std::size_t taken_ = 0;
  std::uint32_t passed_over_ = 0;
  std::uint32_t most_ = 0;
  std::uint32_t documents_ = 1;
  std::vector<PlannedList*> essential_;
};

}  // namespace warmline::index
