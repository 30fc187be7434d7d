#include "index/segment.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace warmline::index {
namespace {
constexpr std::uint64_t kAlive = UINT64_MAX;
}

void Segment::StartLiving() {
  died_.reset(new std::atomic<std::uint64_t>[documents_.size()]);
  for (std::size_t i = 0; i < documents_.size(); ++i) died_[i].store(kAlive, std::memory_order_relaxed);
}

Segment::Segment(std::vector<HelperRow> rows) {
  std::sort(rows.begin(), rows.end(),
            [](const HelperRow& x, const HelperRow& y) { return x.document.member < y.document.member; });
  documents_.reserve(rows.size());
  std::size_t count = 0;
  for (const HelperRow& row : rows) {
    documents_.push_back(row.document);
    count += row.terms.size();
    for (const HelperTerm& t : row.terms) terms_.push_back(t.term);
  }
  StartLiving();
  std::sort(terms_.begin(), terms_.end());
  terms_.erase(std::unique(terms_.begin(), terms_.end()), terms_.end());
  terms_.shrink_to_fit();

  // A counting sort by term keeps the documents of each term in order.
  const auto slot_of = [&](std::uint32_t term) {
    return static_cast<std::size_t>(std::lower_bound(terms_.begin(), terms_.end(), term) - terms_.begin());
  };
  offsets_.assign(terms_.size() + 1, 0);
  for (const HelperRow& row : rows) {
    for (const HelperTerm& t : row.terms) ++offsets_[slot_of(t.term) + 1];
  }
  for (std::size_t i = 1; i < offsets_.size(); ++i) offsets_[i] += offsets_[i - 1];
  posting_documents_.resize(count);
  posting_levels_.resize(count);
  std::vector<std::uint64_t> next(offsets_.begin(), offsets_.end() - 1);
  for (std::size_t doc = 0; doc < rows.size(); ++doc) {
    for (const HelperTerm& t : rows[doc].terms) {
      const std::uint64_t at = next[slot_of(t.term)]++;
      posting_documents_[at] = static_cast<std::uint32_t>(doc);
      posting_levels_[at] = t.level;
    }
  }
}

std::shared_ptr<Segment> Segment::Merge(const Segment& a, const Segment& b) {
  std::shared_ptr<Segment> merged(new Segment);
  std::array<std::vector<std::uint32_t>, 2> renumbered = {std::vector<std::uint32_t>(a.size(), kNone),
                                                          std::vector<std::uint32_t>(b.size(), kNone)};
  merged->documents_.reserve(a.size() - a.dead() + b.size() - b.dead());
  for (std::uint32_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const bool from_a = j == b.size() || (i < a.size() && a.documents_[i].member < b.documents_[j].member);
    const Segment& source = from_a ? a : b;
    const std::uint32_t doc = from_a ? i++ : j++;
    if (source.died_[doc].load(std::memory_order_relaxed) != kAlive) continue;
    renumbered[from_a ? 0 : 1][doc] = merged->size();
    merged->documents_.push_back(source.documents_[doc]);
  }
  merged->StartLiving();

  std::set_union(a.terms_.begin(), a.terms_.end(), b.terms_.begin(), b.terms_.end(),
                 std::back_inserter(merged->terms_));
  merged->posting_documents_.reserve(a.posting_documents_.size() + b.posting_documents_.size());
  merged->posting_levels_.reserve(a.posting_documents_.size() + b.posting_documents_.size());
  merged->offsets_.push_back(0);
  std::vector<std::uint32_t> kept_terms;
  for (const std::uint32_t term : merged->terms_) {
    std::array<Postings, 2> lists = {a.postings(term), b.postings(term)};
    std::array<std::size_t, 2> at = {0, 0};
    const auto head = [&](std::size_t s) {
      while (at[s] < lists[s].documents.size() && renumbered[s][lists[s].documents[at[s]]] == kNone) ++at[s];
      return at[s] < lists[s].documents.size() ? renumbered[s][lists[s].documents[at[s]]] : kNone;
    };
    while (true) {
      const std::uint32_t x = head(0);
      const std::uint32_t y = head(1);
      if (x == kNone && y == kNone) break;
      const std::size_t s = x < y ? 0 : 1;
      merged->posting_documents_.push_back(std::min(x, y));
      merged->posting_levels_.push_back(lists[s].levels[at[s]++]);
    }
    if (merged->posting_documents_.size() == merged->offsets_.back()) continue;
    kept_terms.push_back(term);
    merged->offsets_.push_back(merged->posting_documents_.size());
  }
  merged->terms_ = std::move(kept_terms);
  merged->posting_documents_.shrink_to_fit();
  merged->posting_levels_.shrink_to_fit();
  return merged;
}

std::optional<std::uint32_t> Segment::Find(std::uint32_t member, std::uint32_t* from) const {
  const auto less = [](const HelperDocument& d, std::uint32_t m) { return d.member < m; };
  auto low = documents_.begin() + (from == nullptr ? 0 : *from);
  auto high = documents_.end();
  // Galloping (Bentley and Yao 1976): cheap when the next member is near the last one.
  for (std::ptrdiff_t step = 1; from != nullptr && low + step < documents_.end(); step *= 2) {
    if ((low + step)->member >= member) {
      high = low + step + 1;
      break;
    }
  }
  const auto found = std::lower_bound(low, high, member, less);
  if (from != nullptr) *from = static_cast<std::uint32_t>(found - documents_.begin());
  if (found == documents_.end() || found->member != member) return std::nullopt;
  return static_cast<std::uint32_t>(found - documents_.begin());
}

Postings Segment::postings(std::uint32_t term) const {
  const auto found = std::lower_bound(terms_.begin(), terms_.end(), term);
  if (found == terms_.end() || *found != term) return {};
  const auto slot = static_cast<std::size_t>(found - terms_.begin());
  const std::size_t count = offsets_[slot + 1] - offsets_[slot];
  return {{posting_documents_.data() + offsets_[slot], count}, {posting_levels_.data() + offsets_[slot], count}};
}

std::uint8_t Segment::Level(std::uint32_t term, std::uint32_t doc) const {
  const Postings list = postings(term);
  const auto found = std::lower_bound(list.documents.begin(), list.documents.end(), doc);
  if (found == list.documents.end() || *found != doc) return 0;
  return list.levels[static_cast<std::size_t>(found - list.documents.begin())];
}

void Segment::Kill(std::uint32_t doc, std::uint64_t sequence) {
  if (died_[doc].load(std::memory_order_relaxed) != kAlive) return;
  died_[doc].store(sequence, std::memory_order_release);
  dead_.fetch_add(1, std::memory_order_relaxed);
}

std::size_t Segment::bytes() const {
  return documents_.size() * (sizeof(HelperDocument) + sizeof(std::uint64_t)) + terms_.size() * 4 +
         offsets_.size() * 8 + posting_documents_.size() * 5;
}

}  // namespace warmline::index
