// An array that grows without moving: readers index it without a lock while one writer appends.
// Thread-safety: `Grow` by one thread at a time; `operator[]` by any thread, for indexes below a size it learned of.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace warmline::base {

// Chunk c holds kFirst << c elements, so 27 chunks hold 2^32 of them. The first is small, since a pool or a segment
// with little in it has several arrays.
template <typename T>
class ChunkedArray {
 public:
  ChunkedArray() = default;
  ~ChunkedArray() {
    for (auto& chunk : chunks_) delete[] chunk.load();
  }
  ChunkedArray(const ChunkedArray&) = delete;
  ChunkedArray& operator=(const ChunkedArray&) = delete;

  // Makes room for `size` default-made elements.
  void Grow(std::size_t size) {
    while (capacity_ < size) {
      const std::size_t count = kFirst << grown_;
      chunks_[grown_].store(new T[count](), std::memory_order_release);
      capacity_ += count;
      ++grown_;
    }
  }

  [[nodiscard]] T& operator[](std::size_t i) const {
    const std::size_t n = i / kFirst + 1;
    const std::size_t chunk = std::bit_width(n) - 1;
    const std::size_t before = kFirst * (std::bit_floor(n) - 1);
    return chunks_[chunk].load(std::memory_order_acquire)[i - before];
  }

  [[nodiscard]] std::size_t bytes() const { return capacity_ * sizeof(T); }

 private:
  static constexpr std::size_t kFirst = 64;
  std::array<std::atomic<T*>, 27> chunks_{};
  std::size_t capacity_ = 0;
  std::size_t grown_ = 0;
};

}  // namespace warmline::base
