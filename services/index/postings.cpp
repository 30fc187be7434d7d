#include "index/postings.h"

#include <algorithm>

#include "index/segment.h"

namespace warmline::index {

// A counting sort by term; going through the documents in order keeps each list in order.
Postings::Postings(const Segment& segment) {
  PlaceLists(segment);
  std::vector<std::uint32_t> filled(lists_.size(), 0);
  std::vector<std::uint32_t> last_chunk(lists_.size(), kNone);
  std::vector<std::uint32_t> next_chunk(lists_.size(), 0);
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    const std::uint32_t chunk = doc / kChunkDocuments;
    const auto within = static_cast<std::uint16_t>(doc % kChunkDocuments);
    segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t level) {
      const std::uint32_t slot = slot_of_[term];
      Entry& entry = lists_[slot];
      std::uint8_t* const at = postings_.data() + (entry.begin + filled[slot]) * kPostingBytes;
      std::memcpy(at, &within, sizeof within);
      at[2] = level;
      entry.max_level = std::max(entry.max_level, level);
      if (last_chunk[slot] != chunk) {
        last_chunk[slot] = chunk;
        chunks_[entry.chunk_begin + next_chunk[slot]++] = {chunk, filled[slot]};
      }
      ++filled[slot];
    });
  }
}

// Counts, and so learns where every list and its chunks begin.
void Postings::PlaceLists(const Segment& segment) {
  std::vector<std::uint32_t> last_chunk;
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    const std::uint32_t chunk = doc / kChunkDocuments;
    segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t) {
      if (term >= slot_of_.size()) slot_of_.resize(term + std::size_t{1}, kNoSlot);
      if (slot_of_[term] == kNoSlot) {
        slot_of_[term] = static_cast<std::uint32_t>(lists_.size());
        lists_.emplace_back();
        last_chunk.push_back(kNone);
      }
      const std::uint32_t slot = slot_of_[term];
      ++lists_[slot].size;
      lists_[slot].chunks += last_chunk[slot] != chunk ? 1 : 0;
      last_chunk[slot] = chunk;
    });
  }
  slot_of_.shrink_to_fit();
  lists_.shrink_to_fit();
  std::uint64_t postings = 0;
  std::uint32_t chunks = 0;
  for (Entry& entry : lists_) {
    entry.begin = postings;
    entry.chunk_begin = chunks;
    postings += entry.size;
    chunks += entry.chunks;
  }
  postings_.resize(postings * kPostingBytes);
  chunks_.resize(chunks);
}

Postings::List Postings::list(std::uint32_t term) const {
  if (term >= slot_of_.size() || slot_of_[term] == kNoSlot) return {};
  const Entry& entry = lists_[slot_of_[term]];
  return {postings_.data() + entry.begin * kPostingBytes,
          {chunks_.data() + entry.chunk_begin, entry.chunks},
          entry.size,
          entry.max_level};
}

std::size_t Postings::bytes() const {
  return slot_of_.capacity() * 4 + lists_.capacity() * sizeof(Entry) + chunks_.capacity() * sizeof(Chunk) +
         postings_.capacity();
}

void PostingCursor::EnterChunk(std::size_t chunk) {
  chunk_ = chunk;
  if (chunk_ >= list_.chunks.size()) {
    document_ = kEnd;
    return;
  }
  at_ = list_.chunks[chunk_].begin;
  chunk_end_ = chunk_ + 1 < list_.chunks.size() ? list_.chunks[chunk_ + 1].begin : list_.size;
  document_ = list_.chunks[chunk_].number * kChunkDocuments + list_.document(at_);
}

void PostingCursor::Arrive(std::uint32_t i) {
  if (i == chunk_end_) {
    EnterChunk(chunk_ + 1);
  } else {
    at_ = i;
    document_ = list_.chunks[chunk_].number * kChunkDocuments + list_.document(i);
  }
}

void PostingCursor::SkipTo(std::uint32_t doc) {
  if (document_ >= doc) return;  // so kEnd stays
  const std::uint32_t number = doc / kChunkDocuments;
  std::size_t chunk = chunk_;
  while (chunk < list_.chunks.size() && list_.chunks[chunk].number < number) ++chunk;
  if (chunk != chunk_) EnterChunk(chunk);
  if (document_ >= doc) return;
  // Galloping (Bentley and Yao 1976): cheap when it is near.
  const auto within = static_cast<std::uint16_t>(doc % kChunkDocuments);
  std::uint32_t low = at_;
  std::uint32_t step = 1;
  while (low + step < chunk_end_ && list_.document(low + step) < within) {
    low += step;
    step *= 2;
  }
  std::uint32_t high = std::min(low + step, chunk_end_);
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (list_.document(middle) < within) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  Arrive(low);
}

}  // namespace warmline::index
