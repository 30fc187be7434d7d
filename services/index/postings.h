// For each interest the documents that have it, with their levels. A document is two bytes within a chunk of 2^16, and
// each list says where its chunks begin. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace warmline::index {

class Segment;

inline constexpr std::uint32_t kChunkDocuments = 1U << 16;

class Postings {
 public:
  explicit Postings(const Segment& segment);

  struct Chunk {
    std::uint32_t number = 0;  // of the chunk: documents from number * kChunkDocuments on
    std::uint32_t begin = 0;   // in the list
  };
  struct List {
    const std::uint16_t* documents = nullptr;  // ascending within a chunk
    const std::uint8_t* levels = nullptr;
    std::span<const Chunk> chunks;
    std::uint32_t size = 0;
    std::uint8_t max_level = 0;
  };
  // Empty for a term that no document has.
  [[nodiscard]] List list(std::uint32_t term) const;
  [[nodiscard]] std::span<const std::uint32_t> terms() const { return terms_; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  std::vector<std::uint32_t> terms_;        // ascending
  std::vector<std::uint64_t> begin_;        // of terms_[i] in the two below; one more than terms
  std::vector<std::uint32_t> chunk_begin_;  // of terms_[i] in chunks_; one more than terms
  std::vector<std::uint8_t> max_level_;
  std::vector<Chunk> chunks_;
  std::vector<std::uint16_t> documents_;
  std::vector<std::uint8_t> levels_;
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
      const std::uint32_t doc = base + list_.documents[i];
      if (doc >= end) break;
      f(doc, list_.levels[i]);
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
