#include "index/postings.h"

#include <algorithm>

#include "index/segment.h"

namespace warmline::index {

// A counting sort by term; going through the documents in order keeps each list in order.
Postings::Postings(const Segment& segment) {
  PlaceLists(segment);
  std::vector<std::uint32_t> filled(arrays_.lists.size(), 0);
  std::vector<std::uint32_t> last_chunk(arrays_.lists.size(), kNone);
  std::vector<std::uint32_t> next_chunk(arrays_.lists.size(), 0);
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    const std::uint32_t chunk = doc / kChunkDocuments;
    const auto within = static_cast<std::uint16_t>(doc % kChunkDocuments);
    segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t level) {
      const std::uint32_t slot = arrays_.slot_of[term];
      Entry& entry = arrays_.lists[slot];
      std::uint8_t* const at = arrays_.postings.data() + (entry.begin + filled[slot]) * kPostingBytes;
      std::memcpy(at, &within, sizeof within);
      at[2] = level;
      entry.max_level = std::max(entry.max_level, std::uint32_t{level});
      if (last_chunk[slot] != chunk) {
        last_chunk[slot] = chunk;
        arrays_.chunks[entry.chunk_begin + next_chunk[slot]++] = {chunk, filled[slot]};
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
      if (term >= arrays_.slot_of.size()) arrays_.slot_of.resize(term + std::size_t{1}, kNoSlot);
      if (arrays_.slot_of[term] == kNoSlot) {
        arrays_.slot_of[term] = static_cast<std::uint32_t>(arrays_.lists.size());
        arrays_.lists.emplace_back();
        last_chunk.push_back(kNone);
      }
      const std::uint32_t slot = arrays_.slot_of[term];
      ++arrays_.lists[slot].size;
      arrays_.lists[slot].chunks += last_chunk[slot] != chunk ? 1 : 0;
      last_chunk[slot] = chunk;
    });
  }
  arrays_.slot_of.shrink_to_fit();
  arrays_.lists.shrink_to_fit();
  std::uint64_t postings = 0;
  std::uint32_t chunks = 0;
  for (Entry& entry : arrays_.lists) {
    entry.begin = postings;
    entry.chunk_begin = chunks;
    postings += entry.size;
    chunks += entry.chunks;
  }
  arrays_.postings.resize(postings * kPostingBytes);
  arrays_.chunks.resize(chunks);
}

Postings::List Postings::list(std::uint32_t term) const {
  if (term >= arrays_.slot_of.size() || arrays_.slot_of[term] == kNoSlot) return {};
  const Entry& entry = arrays_.lists[arrays_.slot_of[term]];
  return {arrays_.postings.data() + entry.begin * kPostingBytes,
          {arrays_.chunks.data() + entry.chunk_begin, entry.chunks},
          entry.size,
          static_cast<std::uint8_t>(entry.max_level)};
}

std::size_t Postings::bytes() const {
  return arrays_.slot_of.capacity() * 4 + arrays_.lists.capacity() * sizeof(Entry) +
         arrays_.chunks.capacity() * sizeof(Chunk) + arrays_.postings.capacity();
}

bool Postings::AreSound(const Arrays& arrays, std::uint32_t documents) {
  const std::uint64_t postings = arrays.postings.size() / kPostingBytes;
  if (arrays.postings.size() % kPostingBytes != 0) return false;
  for (const std::uint32_t slot : arrays.slot_of) {
    if (slot != kNoSlot && slot >= arrays.lists.size()) return false;
  }
  for (const Entry& entry : arrays.lists) {
    if (entry.begin > postings || entry.size > postings - entry.begin || entry.size == 0 || entry.max_level > 255 ||
        entry.chunks == 0 || std::uint64_t{entry.chunk_begin} + entry.chunks > arrays.chunks.size())
      return false;
    std::uint32_t begin = 0;
    std::int64_t number = -1;
    for (std::uint32_t c = 0; c < entry.chunks; ++c) {
      const Chunk& chunk = arrays.chunks[entry.chunk_begin + c];
      const std::uint32_t end = c + 1 < entry.chunks ? arrays.chunks[entry.chunk_begin + c + 1].begin : entry.size;
      if (chunk.begin != begin || end <= begin || end > entry.size || chunk.number <= number) return false;
      if (chunk.number > (documents - 1) / kChunkDocuments) return false;
      // Documents ascend within a chunk, so the last is the largest.
      std::uint16_t last = 0;
      std::memcpy(&last, arrays.postings.data() + (entry.begin + end - 1) * kPostingBytes, sizeof last);
      if (std::uint64_t{chunk.number} * kChunkDocuments + last >= documents) return false;
      number = chunk.number;
      begin = end;
    }
  }
  return true;
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
