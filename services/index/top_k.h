// The k best candidates so far: by score, equal scores by member id in byte order. Memory is reused. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "index/rules.h"
#include "ranking/score.h"

namespace warmline::index {

class TopK {
 public:
  struct Entry {
    std::uint32_t score = 0;
    Candidate candidate;
    ranking::Parts parts{};
  };

  void Prepare(int k, const network::MemberTable& members) {
    k_ = static_cast<std::size_t>(k);
    members_ = &members;
    heap_.clear();
    heap_.reserve(k_);
  }

  void Offer(const Entry& entry) {
    const auto better = [this](const Entry& x, const Entry& y) { return Better(x, y); };
    if (heap_.size() == k_) {
      if (k_ == 0 || !Better(entry, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), better);  // the worst stands first
      heap_.back() = entry;
    } else {
      heap_.push_back(entry);
    }
    std::push_heap(heap_.begin(), heap_.end(), better);
  }

  // No candidate whose score is below this can enter; 0 while there is room.
  [[nodiscard]] std::uint32_t threshold() const { return heap_.size() == k_ && k_ > 0 ? heap_.front().score : 0; }

  // Best first. Nothing more is offered after this.
  [[nodiscard]] std::span<const Entry> Sort() {
    std::sort(heap_.begin(), heap_.end(), [this](const Entry& x, const Entry& y) { return Better(x, y); });
    return heap_;
  }

 private:
  [[nodiscard]] bool Better(const Entry& x, const Entry& y) const {
    if (x.score != y.score) return x.score > y.score;
    return members_->Id(x.candidate.member) < members_->Id(y.candidate.member);
  }

  std::size_t k_ = 0;
  const network::MemberTable* members_ = nullptr;
  std::vector<Entry> heap_;
};

}  // namespace warmline::index
