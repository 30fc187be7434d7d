#include "index/list_plan.h"

#include <algorithm>

namespace warmline::index {

void ListPlan::Prepare(const Query& query, const Postings& postings, std::uint32_t documents) {
  documents_ = documents;
  lists_.clear();
  steps_.clear();
  taken_ = 0;
  passed_over_ = 0;
  most_ = 0;
  // In rounds, so that what the next one reads is fetched for all lists at once.
  for (const QueryTerm& t : query.terms) postings.Prefetch(t.term);
  for (const QueryTerm& t : query.terms) postings.PrefetchList(t.term);
  for (const QueryTerm& t : query.terms) Postings::Prefetch(postings.list(t.term));
  for (const QueryTerm& t : query.terms) {
    const Postings::List list = postings.list(t.term);
    if (list.size == 0) continue;
    PlannedList planned;
    planned.cursor = PostingCursor(list);
    planned.own = t.own;
    planned.discount = t.discount;
    // contribution = floor(weight_of_part * floor(weight * level * 2^20 / (255 * total)) / 2^20): at most this.
    const std::uint64_t divisor = 255 * query.total_weight;
    const std::uint64_t product = query.own[t.own].weight * query.weights[0] * (256 / kUnitsPerPoint);
    planned.rate = divisor == 0 ? 0 : static_cast<std::uint32_t>((product + divisor - 1) / divisor);
    planned.bound = planned.Points(CountedLevel(list.max_level, t.discount));
    planned.size = list.size;
    lists_.push_back(planned);
  }
  for (std::uint32_t first = 0; first < lists_.size();) {
    std::uint32_t last = first + 1;
    while (last < lists_.size() && lists_[last].own == lists_[first].own) ++last;
    AddSteps(first, last);
    first = last;
  }
  std::sort(steps_.begin(), steps_.end(), [](const Step& x, const Step& y) {
    const std::uint64_t saved_x = x.postings * y.bound;  // 2^32 postings times 2^17 points
    const std::uint64_t saved_y = y.postings * x.bound;
    return saved_x != saved_y ? saved_x > saved_y : x.first < y.first;  // an own term's steps stay in their order
  });
  for (std::uint32_t i = 0; i < steps_.size(); ++i) {
    for (std::uint32_t j = steps_[i].first; j < steps_[i].last; ++j) lists_[j].given_up_at = i + 1;
    most_ += steps_[i].bound;
  }
  essential_.clear();
  for (PlannedList& list : lists_) essential_.push_back(&list);
}

// The steps of one own term: the upper hull of postings saved over bound spent, so that taking steps in order of their
// ratio, over all own terms, takes those of one term in their own order.
void ListPlan::AddSteps(std::uint32_t first, std::uint32_t last) {
  const auto at = [&](std::uint32_t i) { return lists_.begin() + static_cast<std::ptrdiff_t>(i); };
  std::sort(at(first), at(last), [](const PlannedList& x, const PlannedList& y) { return x.bound < y.bound; });
  std::uint32_t spent = 0;
  while (first < last) {
    Step best;
    std::uint64_t postings = 0;
    for (std::uint32_t i = first; i < last; ++i) {
      postings += lists_[i].size;
      const Step step = {lists_[i].bound - spent, postings, first, i + 1};
      if (best.last == 0 || step.postings * best.bound >= best.postings * step.bound) best = step;
    }
    steps_.push_back(best);
    spent += best.bound;
    first = best.last;
  }
}

void ListPlan::Require(std::uint32_t points) {
  const std::size_t before = taken_;
  while (taken_ > 0 && passed_over_ >= points) passed_over_ -= steps_[--taken_].bound;
  while (taken_ < steps_.size() && passed_over_ + steps_[taken_].bound < points) {
    passed_over_ += steps_[taken_++].bound;
  }
  if (taken_ == before) return;
  essential_.clear();
  for (PlannedList& list : lists_) {
    if (list.given_up_at > taken_) essential_.push_back(&list);
  }
}

}  // namespace warmline::index
