#include "index/postings.h"

#include <algorithm>

#include "index/segment.h"

namespace warmline::index {

Postings::Postings(const Segment& segment) {
  // A counting sort by term; going through the documents in order keeps each list in order.
  std::vector<std::uint32_t> count;
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t) {
      if (term >= count.size()) count.resize(term + std::size_t{1}, 0);
      ++count[term];
    });
  }
  std::vector<std::uint32_t> slot(count.size(), 0);
  for (std::uint32_t term = 0; term < count.size(); ++term) {
    if (count[term] == 0) continue;
    slot[term] = static_cast<std::uint32_t>(terms_.size());
    terms_.push_back(term);
  }
  terms_.shrink_to_fit();
  begin_.assign(terms_.size() + 1, 0);
  for (std::size_t i = 0; i < terms_.size(); ++i) begin_[i + 1] = begin_[i] + count[terms_[i]];
  max_level_.assign(terms_.size(), 0);
  documents_.resize(begin_.back());
  levels_.resize(begin_.back());
  std::vector<std::uint64_t> next(begin_.begin(), begin_.end() - 1);
  std::vector<std::uint32_t> chunks(terms_.size(), 0);  // of each list, so far
  std::vector<std::uint32_t> last_chunk(terms_.size(), kNone);
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t level) {
      const std::uint32_t s = slot[term];
      documents_[next[s]] = static_cast<std::uint16_t>(doc % kChunkDocuments);
      levels_[next[s]++] = level;
      max_level_[s] = std::max(max_level_[s], level);
      chunks[s] += last_chunk[s] != doc / kChunkDocuments ? 1 : 0;
      last_chunk[s] = doc / kChunkDocuments;
    });
  }
  chunk_begin_.assign(terms_.size() + 1, 0);
  for (std::size_t i = 0; i < terms_.size(); ++i) chunk_begin_[i + 1] = chunk_begin_[i] + chunks[i];
  chunks_.resize(chunk_begin_.back());
  std::vector<std::uint32_t> seen(terms_.size(), 0);
  std::fill(last_chunk.begin(), last_chunk.end(), kNone);
  std::fill(chunks.begin(), chunks.end(), 0);
  for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
    segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t) {
      const std::uint32_t s = slot[term];
      const std::uint32_t at = seen[s]++;
      if (last_chunk[s] == doc / kChunkDocuments) return;
      last_chunk[s] = doc / kChunkDocuments;
      chunks_[chunk_begin_[s] + chunks[s]++] = {last_chunk[s], at};
    });
  }
}

Postings::List Postings::list(std::uint32_t term) const {
  const auto found = std::lower_bound(terms_.begin(), terms_.end(), term);
  if (found == terms_.end() || *found != term) return {};
  const auto i = static_cast<std::size_t>(found - terms_.begin());
  return {documents_.data() + begin_[i],
          levels_.data() + begin_[i],
          {chunks_.data() + chunk_begin_[i], chunk_begin_[i + 1] - chunk_begin_[i]},
          static_cast<std::uint32_t>(begin_[i + 1] - begin_[i]),
          max_level_[i]};
}

std::size_t Postings::bytes() const {
  return terms_.capacity() * 4 + begin_.capacity() * 8 + chunk_begin_.capacity() * 4 + max_level_.capacity() +
         chunks_.capacity() * sizeof(Chunk) + documents_.capacity() * 2 + levels_.capacity();
}

void PostingCursor::EnterChunk(std::size_t chunk) {
  chunk_ = chunk;
  if (chunk_ >= list_.chunks.size()) {
    document_ = kEnd;
    return;
  }
  at_ = list_.chunks[chunk_].begin;
  chunk_end_ = chunk_ + 1 < list_.chunks.size() ? list_.chunks[chunk_ + 1].begin : list_.size;
  document_ = list_.chunks[chunk_].number * kChunkDocuments + list_.documents[at_];
}

void PostingCursor::Arrive(std::uint32_t i) {
  if (i == chunk_end_) {
    EnterChunk(chunk_ + 1);
  } else {
    at_ = i;
    document_ = list_.chunks[chunk_].number * kChunkDocuments + list_.documents[i];
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
  while (low + step < chunk_end_ && list_.documents[low + step] < within) {
    low += step;
    step *= 2;
  }
  const std::uint16_t* const found =
      std::lower_bound(list_.documents + low, list_.documents + std::min(low + step, chunk_end_), within);
  Arrive(static_cast<std::uint32_t>(found - list_.documents));
}

}  // namespace warmline::index
