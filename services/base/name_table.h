// Names to dense numbers and back: numbers are given in order of arrival and stay until the process ends.
// Thread-safety: `Find` and `Name` from any thread, without a lock, under an RcuReadGuard; `Intern` and `Forget` by one
// writer at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/chunked_array.h"

namespace warmline::base {

class NameTable {
 public:
  NameTable();
  ~NameTable();
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  // The number of `name`, given now if it is new.
  std::uint32_t Intern(std::string_view name);
  // Makes room for so many names at once.
  void Reserve(std::uint32_t names);
  // Gives the next number to nobody: it is one of a name that was forgotten.
  void Skip();
  // The number of `name`, if it has one.
  [[nodiscard]] std::optional<std::uint32_t> Find(std::string_view name) const;
  // The number of the name with this Hash64 for which `fits(name)` holds, if there is one.
  [[nodiscard]] std::optional<std::uint32_t> FindByHash(std::uint64_t hash,
                                                        const std::function<bool(std::string_view)>& fits) const;
  // The name of a number; empty for one that was forgotten. Valid while the caller's guard lives.
  [[nodiscard]] std::string_view Name(std::uint32_t number) const;
  // Hash64 of the name of a number.
  [[nodiscard]] std::uint64_t NameHash(std::uint32_t number) const { return entries_[number].hash; }
  // Fetches the entry of a number into the cache.
  void Prefetch(std::uint32_t number) const { __builtin_prefetch(&entries_[number]); }
  // Fetches the text of a number, whose entry was fetched before.
  void PrefetchText(std::uint32_t number) const {
    __builtin_prefetch(entries_[number].name.load(std::memory_order_relaxed));
  }
  // Removes the text of a name from memory; its number is never given again.
  void Forget(std::uint32_t number);
  // How many numbers were given.
  [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  // Memory held, names included.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    std::atomic<const std::string*> name{nullptr};
    std::uint64_t hash = 0;
  };
  struct Cells;  // open addressing; a cell holds number + 1, or 0

  template <typename Fits>
  std::optional<std::uint32_t> Search(std::uint64_t hash, const Fits& fits) const;
  void Grow(std::size_t cells);
  void Insert(Cells* cells, std::uint32_t number) const;

  ChunkedArray<Entry> entries_;
  std::atomic<std::uint32_t> size_{0};
  std::atomic<Cells*> cells_;
  std::size_t text_bytes_ = 0;
};

}  // namespace warmline::base
