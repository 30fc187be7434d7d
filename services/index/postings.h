// For each interest the documents that have it, with their levels: three bytes a posting, a document within a chunk of
// 2^16 and its level beside it, so that both come with one line of cache. Each list says where its chunks begin.
// Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace warmline::index {

class Segment;

inline constexpr std::uint32_t kChunkDocuments = 1U << 16;
inline constexpr std::size_t kPostingBytes = 3;

class Postings {
 public:
  explicit Postings(const Segment& segment);

  struct Chunk {
    std::uint32_t number = 0;  // of the chunk: documents from number * kChunkDocuments on
    std::uint32_t begin = 0;   // in the list
  };
  struct List {
    const std::uint8_t* postings = nullptr;  // ascending within a chunk
    std::span<const Chunk> chunks;
    std::uint32_t size = 0;
    std::uint8_t max_level = 0;

    // Of the i-th posting, within its chunk.
    [[nodiscard]] std::uint16_t document(std::uint32_t i) const {
      std::uint16_t value;
      std::memcpy(&value, postings + std::size_t{i} * kPostingBytes, sizeof value);
      return value;
    }
    [[nodiscard]] std::uint8_t level(std::uint32_t i) const { return postings[std::size_t{i} * kPostingBytes + 2]; }
  };
  // Empty for a term that no document has.
  [[nodiscard]] List list(std::uint32_t term) const;
  // Fetches into the cache what `list` reads, and then what a cursor does: first where a term is kept, then the list.
  void Prefetch(std::uint32_t term) const {
    if (term < arrays_.slot_of.size()) __builtin_prefetch(&arrays_.slot_of[term]);
  }
  void PrefetchList(std::uint32_t term) const {
    if (term < arrays_.slot_of.size() && arrays_.slot_of[term] != kNoSlot)
      __builtin_prefetch(&arrays_.lists[arrays_.slot_of[term]]);
  }
  static void Prefetch(const List& list) {
    if (list.size == 0) return;
    __builtin_prefetch(list.chunks.data());
    __builtin_prefetch(list.postings);
  }
  [[nodiscard]] std::size_t bytes() const;

  // A list where it lies.
  struct Entry {
    std::uint64_t begin = 0;  // in `postings`, in postings
    std::uint32_t size = 0;
    std::uint32_t chunk_begin = 0;  // in `chunks`
    std::uint32_t chunks = 0;
    std::uint32_t max_level = 0;
  };
  static_assert(sizeof(Entry) == 24);
  // Everything that postings are made of, as a snapshot keeps it.
  struct Arrays {
    std::vector<std::uint32_t> slot_of;  // by term: in `lists`
    std::vector<Entry> lists;
    std::vector<Chunk> chunks;
    std::vector<std::uint8_t> postings;
  };
  explicit Postings(Arrays arrays) : arrays_(std::move(arrays)) {}
  [[nodiscard]] const Arrays& arrays() const { return arrays_; }
  // Whether arrays that came from elsewhere hold together: whether reading lists stays within them, and documents
  // within `documents`.
  [[nodiscard]] static bool AreSound(const Arrays& arrays, std::uint32_t documents);

 private:
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;
  void PlaceLists(const Segment& segment);

  Arrays arrays_;
};

// Walks a list forward. Not thread-safe.
class PostingCursor {
 public:
  static constexpr std::uint32_t kEnd = UINT32_MAX;

  PostingCursor() = default;
  explicit PostingCursor(const Postings::List& list) : list_(list) { EnterChunk(0); }

  // The document of the next posting; kEnd past the last.
  [[nodiscard]] std::uint32_t document() const { return document_; }
  // Goes to the first posting of a document that is not before `doc`.
  void SkipTo(std::uint32_t doc);
  // Calls f(document, level) for the postings before `end`, which lies in the chunk of the next posting or at its end.
  template <typename F>
  void ForEachBefore(std::uint32_t end, F f) {
    const std::uint32_t base = list_.chunks[chunk_].number * kChunkDocuments;
    std::uint32_t i = at_;
    for (; i < chunk_end_; ++i) {
      const std::uint32_t doc = base + list_.document(i);
      if (doc >= end) break;
      f(doc, list_.level(i));
    }
    Arrive(i);
  }

 private:
  void EnterChunk(std::size_t chunk);
  void Arrive(std::uint32_t i);

  Postings::List list_;
  std::size_t chunk_ = 0;
  std::uint32_t at_ = 0;
  std::uint32_t chunk_end_ = 0;
  std::uint32_t document_ = kEnd;
};

}  // namespace warmline::index
