#include "index/segment.h"

#include <algorithm>

namespace warmline::index {

std::shared_ptr<Segment> Segment::Build(std::span<const HelperRow> rows, const StaticScore& score) {
  std::vector<std::uint8_t> packed;
  std::vector<std::size_t> at;
  at.reserve(rows.size() + 1);
  for (const HelperRow& row : rows) {
    at.push_back(packed.size());
    PackRow(row, packed);
  }
  at.push_back(packed.size());
  std::vector<Source> sources;
  sources.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint8_t* row = packed.data() + at[i];
    sources.push_back(
        {score(RowView(row)), rows[i].member, &rows[i].filter, row, static_cast<std::uint32_t>(at[i + 1] - at[i])});
  }
  return std::shared_ptr<Segment>(new Segment(std::move(sources)));
}

std::shared_ptr<Segment> Segment::Merge(std::span<const std::shared_ptr<Segment>> segments, const StaticScore& score,
                                        std::vector<std::uint32_t>& deaths_seen) {
  deaths_seen.clear();
  std::vector<Source> sources;
  for (const auto& segment : segments) {
    deaths_seen.push_back(segment->dead());
    // By the log of deaths and not by the bits, one of which may not be set yet though its death is counted.
    std::vector<bool> dead(segment->size());
    for (std::uint32_t i = 0; i < deaths_seen.back(); ++i) dead[segment->deaths_[i].doc] = true;
    for (std::uint32_t doc = 0; doc < segment->size(); ++doc) {
      if (dead[doc]) continue;
      const RowView row = segment->row(doc);
      sources.push_back({score(row), row.member(), &segment->filters_[doc],
                         segment->rows_.data() + segment->row_at_[doc],
                         segment->row_at_[doc + 1] - segment->row_at_[doc]});
    }
  }
  return std::shared_ptr<Segment>(new Segment(std::move(sources)));
}

Segment::Segment(std::vector<Source> sources) {
  std::sort(sources.begin(), sources.end(), [](const Source& x, const Source& y) {
    return x.score != y.score ? x.score > y.score : x.member < y.member;
  });
  std::size_t bytes = 0;
  for (const Source& s : sources) bytes += s.row_bytes;
  filters_.reserve(sources.size());
  row_at_.reserve(sources.size() + 1);
  rows_.reserve(bytes);
  for (const Source& s : sources) {
    filters_.push_back(*s.filter);
    row_at_.push_back(static_cast<std::uint32_t>(rows_.size()));
    rows_.insert(rows_.end(), s.row, s.row + s.row_bytes);
  }
  row_at_.push_back(static_cast<std::uint32_t>(rows_.size()));
  dead_bits_.reset(new std::atomic<std::uint64_t>[size() / 64 + 1]());
  IndexMembers();
  if (size() >= kMinPostedDocuments) postings_ = std::make_unique<Postings>(*this);
}

Segment::Segment(Arrays arrays)
    : filters_(std::move(arrays.filters)), rows_(std::move(arrays.rows)), row_at_(std::move(arrays.row_at)) {
  dead_bits_.reset(new std::atomic<std::uint64_t>[size() / 64 + 1]());
  for (std::uint32_t doc = 0; doc < size(); ++doc) {
    if ((arrays.dead_bits[doc / 64] >> (doc % 64) & 1) != 0) Kill(doc, 0);
  }
  IndexMembers();
  if (size() >= kMinPostedDocuments) postings_ = std::make_unique<Postings>(std::move(arrays.postings));
}

std::shared_ptr<Segment> Segment::Restore(Arrays arrays, std::uint32_t members, std::uint32_t terms,
                                          std::uint32_t attributes) {
  const std::size_t size = arrays.filters.size();
  if (size == 0 || size >= kNone || arrays.row_at.size() != size + 1 || arrays.dead_bits.size() != size / 64 + 1 ||
      arrays.row_at.front() != 0 || arrays.row_at.back() != arrays.rows.size() ||
      arrays.postings.lists.empty() != (size < kMinPostedDocuments || arrays.postings.slot_of.empty()))
    return nullptr;
  for (std::size_t doc = 0; doc < size; ++doc) {
    const std::uint32_t begin = arrays.row_at[doc];
    const std::uint32_t end = arrays.row_at[doc + 1];
    if (end <= begin || end > arrays.rows.size() || arrays.filters[doc].attributes >= attributes ||
        !RowView::IsSound({arrays.rows.data() + begin, end - begin}, members, terms))
      return nullptr;
  }
  if (arrays.postings.slot_of.size() > terms || !Postings::AreSound(arrays.postings, static_cast<std::uint32_t>(size)))
    return nullptr;
  return std::shared_ptr<Segment>(new Segment(std::move(arrays)));
}

std::vector<std::uint64_t> Segment::DeadBits() const {
  std::vector<std::uint64_t> bits(size() / 64 + std::size_t{1});
  for (std::size_t word = 0; word < bits.size(); ++word) bits[word] = dead_bits_[word].load(std::memory_order_acquire);
  return bits;
}

void Segment::IndexMembers() {
  std::uint32_t last = 0;
  first_member_ = kNone;
  for (std::uint32_t doc = 0; doc < size(); ++doc) {
    first_member_ = std::min(first_member_, row(doc).member());
    last = std::max(last, row(doc).member());
  }
  if (size() > 0 && (last - first_member_) / 2 < size()) {
    doc_of_.assign(last - first_member_ + std::size_t{1}, kNone);
    for (std::uint32_t doc = 0; doc < size(); ++doc) doc_of_[row(doc).member() - first_member_] = doc;
    return;
  }
  doc_of_.resize(size());
  for (std::uint32_t doc = 0; doc < size(); ++doc) doc_of_[doc] = doc;
  std::sort(doc_of_.begin(), doc_of_.end(),
            [&](std::uint32_t x, std::uint32_t y) { return row(x).member() < row(y).member(); });
  members_.reserve(size());
  for (const std::uint32_t doc : doc_of_) members_.push_back(row(doc).member());
}

std::optional<std::uint32_t> Segment::Find(std::uint32_t member) const {
  if (members_.empty()) {
    const std::uint32_t i = member - first_member_;
    if (member < first_member_ || i >= doc_of_.size() || doc_of_[i] == kNone) return std::nullopt;
    return doc_of_[i];
  }
  const auto found = std::lower_bound(members_.begin(), members_.end(), member);
  if (found == members_.end() || *found != member) return std::nullopt;
  return doc_of_[static_cast<std::size_t>(found - members_.begin())];
}

void Segment::Kill(std::uint32_t doc, std::uint64_t sequence) {
  if (IsDead(doc)) return;
  const std::uint32_t count = dead_.load(std::memory_order_relaxed);
  deaths_.Grow(count + std::size_t{1});
  deaths_[count] = {sequence, doc};
  dead_.store(count + 1, std::memory_order_release);
  dead_bits_[doc / 64].fetch_or(std::uint64_t{1} << (doc % 64), std::memory_order_release);
}

void Segment::MarkErased(std::uint32_t doc) {
  if (erased_.empty()) erased_.resize(size());
  erased_[doc] = true;
}

bool Segment::DiedAfter(std::uint32_t doc, std::uint64_t sequence) const {
  // Deaths stand in order of sequence, and a view that is read is among the newest.
  for (std::uint32_t i = dead(); i > 0 && deaths_[i - 1].sequence > sequence; --i) {
    if (deaths_[i - 1].doc == doc) return true;
  }
  return false;
}

void Segment::FollowDeaths(const Segment& source, std::uint32_t seen) {
  for (std::uint32_t i = seen; i < source.dead(); ++i) {
    // No view is older than this segment, so 0 is as good as the time of death, and in order.
    const std::uint32_t died = source.deaths_[i].doc;
    const auto doc = Find(source.row(died).member());
    if (!doc) continue;
    Kill(*doc, 0);
    if (!source.erased_.empty() && source.erased_[died]) MarkErased(*doc);
  }
}

Segment::Bytes Segment::bytes() const {
  Bytes bytes;
  bytes.rows = rows_.capacity() + row_at_.capacity() * 4;
  bytes.filters = filters_.capacity() * sizeof(HelperFilter);
  bytes.postings = postings_ == nullptr ? 0 : postings_->bytes();
  bytes.members = (members_.capacity() + doc_of_.capacity()) * 4;
  bytes.deaths = size() / 8 + deaths_.bytes() + erased_.capacity() / 8;
  return bytes;
}

}  // namespace warmline::index
