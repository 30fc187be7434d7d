// Names to dense numbers and back. A number belongs to one name until that name is forgotten; then a new name gets it,
// so that the table grows with the names that it holds at once and not with all that ever came.
// Thread-safety: `Find` and `Name` from any thread, without a lock, under an RcuReadGuard; everything else by one
// writer at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/chunked_array.h"

namespace warmline::base {

class NameTable {
 public:
  NameTable();
  ~NameTable();
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  // The number of `name`, given now if it is new: one that was forgotten, or else the next.
  std::uint32_t Intern(std::string_view name);
  // Like Intern, but a new name gets the next number even where others are free.
  std::uint32_t Append(std::string_view name);
  // Makes room for so many names at once.
  void Reserve(std::uint32_t names);
  // Gives the next number to nobody: it is free, as one of a name that was forgotten.
  void Skip();
  // The number of `name`, if it has one.
  [[nodiscard]] std::optional<std::uint32_t> Find(std::string_view name) const;
  // The number of the name with this Hash64 for which `fits(name)` holds, if there is one.
  [[nodiscard]] std::optional<std::uint32_t> FindByHash(std::uint64_t hash,
                                                        const std::function<bool(std::string_view)>& fits) const;
  // The name of a number; empty for one that was forgotten. Valid while the caller's guard lives.
  [[nodiscard]] std::string_view Name(std::uint32_t number) const;
  // Hash64 of the name of a number.
  [[nodiscard]] std::uint64_t NameHash(std::uint32_t number) const {
    return entries_[number].hash.load(std::memory_order_relaxed);
  }
  // Fetches the entry of a number into the cache.
  void Prefetch(std::uint32_t number) const { __builtin_prefetch(&entries_[number]); }
  // Fetches the text of a number, whose entry was fetched before.
  void PrefetchText(std::uint32_t number) const {
    __builtin_prefetch(entries_[number].name.load(std::memory_order_relaxed));
  }
  // Removes the text of a name from memory, and frees its number for another name. Only once no reader can still mean
  // the old name by it: every reader that learned the number before must have ended its guard. A number that is free
  // stays so.
  void Forget(std::uint32_t number);
  // How many numbers there are: all are below. And how many of them belong to no name.
  [[nodiscard]] std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint32_t free() const { return static_cast<std::uint32_t>(free_.size()); }
  [[nodiscard]] const std::vector<std::uint32_t>& free_numbers() const { return free_; }
  // Memory held, names included.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    std::atomic<const std::string*> name{nullptr};
    std::atomic<std::uint64_t> hash{0};
  };
  // Open addressing; a cell holds number + 1, or 0. A cell of a forgotten name stays until the cells are made anew, and
  // leads to an entry without a name, or to one with another hash.
  struct Cells;

  template <typename Fits>
  std::optional<std::uint32_t> Search(std::uint64_t hash, const Fits& fits) const;
  std::uint32_t Give(std::uint32_t number, std::string_view name);
  void RemakeCells(std::size_t cells);
  void Insert(Cells* cells, std::uint32_t number) const;

  ChunkedArray<Entry> entries_;
  std::atomic<std::uint32_t> size_{0};
  std::atomic<Cells*> cells_;
  std::size_t used_cells_ = 0;
  std::vector<std::uint32_t> free_;
  std::size_t text_bytes_ = 0;
};

}  // namespace warmline::base
