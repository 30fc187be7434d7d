// An immutable piece of the shared-interest index: some helpers as documents, in rows, and for each interest its
// postings. Documents stand in descending order of a static score, so that the first are the ones a match looks for and
// blocks of them have tight bounds. A document dies when its member changes; the segment itself stays as it is.
// Ownership: shared by views. Thread-safety: reads from any thread; `Kill` by one writer at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/chunked_array.h"
#include "index/postings.h"
#include "index/row.h"

namespace warmline::index {

// Documents of a block share their bounds. A power of two that divides kChunkDocuments.
inline constexpr std::uint32_t kBlockDocuments = 1024;
// Segments of fewer documents have no postings: going through their rows costs less than finding lists.
inline constexpr std::uint32_t kMinPostedDocuments = 256;

class Segment {
 public:
  // Rows of one segment hold at most this many bytes, for about 40 million helpers with 8 interests; who builds or
  // merges sees to it.
  static constexpr std::size_t kMaxRowBytes = UINT32_MAX;
  // What orders documents: higher comes first, equal ones by member number.
  using StaticScore = std::function<std::uint32_t(const RowView&)>;

  // From rows in any order, each member once.
  [[nodiscard]] static std::shared_ptr<Segment> Build(std::span<const HelperRow> rows, const StaticScore& score);
  // The living documents of segments, which share no living member. The segments may lose documents meanwhile:
  // `deaths_seen` says how many deaths of each were counted before, and FollowDeaths brings the others over.
  [[nodiscard]] static std::shared_ptr<Segment> Merge(std::span<const std::shared_ptr<Segment>> sources,
                                                      const StaticScore& score,
                                                      std::vector<std::uint32_t>& deaths_seen);
  // Kills here what died in a source of this segment after its first `seen` deaths, and marks who was erased; before
  // any view has the segment.
  void FollowDeaths(const Segment& source, std::uint32_t seen);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(filters_.size()); }
  [[nodiscard]] const HelperFilter& filter(std::uint32_t doc) const { return filters_[doc]; }
  [[nodiscard]] RowView row(std::uint32_t doc) const { return RowView(rows_.data() + row_at_[doc]); }
  [[nodiscard]] bool LivesAt(std::uint32_t doc, std::uint64_t sequence) const {
    const std::uint64_t bits = dead_bits_[doc / 64].load(std::memory_order_acquire);
    return (bits >> (doc % 64) & 1) == 0 || DiedAfter(doc, sequence);
  }
  // The document of a member, living or not.
  [[nodiscard]] std::optional<std::uint32_t> Find(std::uint32_t member) const;
  // Fetches into the cache what is read first of a document; and of its row, once that is there.
  void Prefetch(std::uint32_t doc) const {
    __builtin_prefetch(&filters_[doc]);
    __builtin_prefetch(&row_at_[doc]);
  }
  void PrefetchRow(std::uint32_t doc) const {
    __builtin_prefetch(rows_.data() + row_at_[doc]);
    __builtin_prefetch(rows_.data() + row_at_[doc] + 40);
  }
  void PrefetchMember(std::uint32_t member) const {
    if (members_.empty() && member - first_member_ < doc_of_.size())
      __builtin_prefetch(&doc_of_[member - first_member_]);
  }
  // Null below kMinPostedDocuments.
  [[nodiscard]] const Postings* postings() const { return postings_.get(); }

  // Readers of views from `sequence` on no longer see the document.
  void Kill(std::uint32_t doc, std::uint64_t sequence);
  [[nodiscard]] std::uint32_t dead() const { return dead_.load(std::memory_order_acquire); }
  // Marks a dead document as one of a member who was erased, whose number may be another's soon. These are by the
  // index's writer; `erased` has an entry for each document, or none at all.
  void MarkErased(std::uint32_t doc);
  [[nodiscard]] const std::vector<bool>& erased() const { return erased_; }

  [[nodiscard]] std::size_t row_bytes() const { return rows_.size(); }

  // Everything that a segment is made of, as a snapshot keeps it; `postings` empty below kMinPostedDocuments.
  struct Arrays {
    std::vector<HelperFilter> filters;
    std::vector<std::uint8_t> rows;
    std::vector<std::uint32_t> row_at;  // one more than documents
    Postings::Arrays postings;
    std::vector<std::uint64_t> dead_bits;
  };
  // From arrays that came from elsewhere; null when they do not hold together. Members and terms lie below these.
  [[nodiscard]] static std::shared_ptr<Segment> Restore(Arrays arrays, std::uint32_t members, std::uint32_t terms,
                                                        std::uint32_t attributes);
  [[nodiscard]] const std::vector<HelperFilter>& filters() const { return filters_; }
  [[nodiscard]] const std::vector<std::uint8_t>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::uint32_t>& row_at() const { return row_at_; }
  // A bit for each document that is dead now, in words.
  [[nodiscard]] std::vector<std::uint64_t> DeadBits() const;

  struct Bytes {
    std::size_t rows = 0;  // with where each begins
    std::size_t filters = 0;
    std::size_t postings = 0;
    std::size_t members = 0;  // member to document
    std::size_t deaths = 0;
  };
  [[nodiscard]] Bytes bytes() const;

 private:
  struct Death {
    std::uint64_t sequence = 0;
    std::uint32_t doc = 0;
  };
  // A document that will stand in the segment.
  struct Source {
    std::uint32_t score;
    std::uint32_t member;
    const HelperFilter* filter;
    const std::uint8_t* row;
    std::uint32_t row_bytes;
  };
  explicit Segment(std::vector<Source> sources);
  explicit Segment(Arrays arrays);
  void IndexMembers();
  [[nodiscard]] bool DiedAfter(std::uint32_t doc, std::uint64_t sequence) const;
  [[nodiscard]] bool IsDead(std::uint32_t doc) const {
    return (dead_bits_[doc / 64].load(std::memory_order_acquire) >> (doc % 64) & 1) != 0;
  }

  std::vector<HelperFilter> filters_;
  std::vector<std::uint8_t> rows_;
  std::vector<std::uint32_t> row_at_;  // one more than documents
  std::unique_ptr<Postings> postings_;
  // Member to document: either an entry for every number from first_member_ on, or sorted members and their documents.
  std::uint32_t first_member_ = 0;
  std::vector<std::uint32_t> members_;
  std::vector<std::uint32_t> doc_of_;
  // Deaths in order; the bit of a document is set after its entry.
  std::unique_ptr<std::atomic<std::uint64_t>[]> dead_bits_;
  base::ChunkedArray<Death> deaths_;
  std::atomic<std::uint32_t> dead_{0};
  std::vector<bool> erased_;
};

}  // namespace warmline::index
