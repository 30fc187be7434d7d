#include "base/name_table.h"

#include <algorithm>
#include <bit>
#include <memory>

#include "base/hash.h"
#include "base/rcu.h"

namespace warmline::base {

namespace {

constexpr std::size_t kMinCells = 64;

// A power of two of which so many names take at most three eighths, so that an eighth is free before half are used.
std::size_t CellsFor(std::size_t names) { return std::max(kMinCells, std::bit_ceil(names * 8 / 3 + 1)); }

// What a name takes beside its entry; short ones lie within the string.
std::size_t TextBytes(std::size_t length) { return sizeof(std::string) + (length > 15 ? length + 1 : 0); }

}  // namespace

struct NameTable::Cells {
  explicit Cells(std::size_t count) : mask(count - 1), cell(new std::atomic<std::uint32_t>[count]()) {}
  std::size_t mask;
  std::unique_ptr<std::atomic<std::uint32_t>[]> cell;
};

NameTable::NameTable() : cells_(new Cells(kMinCells)) {}

NameTable::~NameTable() {
  delete cells_.load();
  for (std::uint32_t i = 0; i < size(); ++i) delete entries_[i].name.load();
}

void NameTable::Insert(Cells* cells, std::uint32_t number) const {
  std::size_t at = NameHash(number) & cells->mask;
  while (cells->cell[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & cells->mask;
  cells->cell[at].store(number + 1, std::memory_order_seq_cst);
}

template <typename Fits>
std::optional<std::uint32_t> NameTable::Search(std::uint64_t hash, const Fits& fits) const {
  const Cells* cells = cells_.load(std::memory_order_seq_cst);
  for (std::size_t at = hash & cells->mask;; at = (at + 1) & cells->mask) {
    const std::uint32_t cell = cells->cell[at].load(std::memory_order_seq_cst);
    if (cell == 0) return std::nullopt;
    const Entry& entry = entries_[cell - 1];
    if (entry.hash.load(std::memory_order_relaxed) != hash) continue;
    const std::string* text = entry.name.load(std::memory_order_seq_cst);
    if (text != nullptr && fits(*text)) return cell - 1;
  }
}

std::optional<std::uint32_t> NameTable::Find(std::string_view name) const {
  return Search(Hash64(name), [name](std::string_view text) { return text == name; });
}

std::optional<std::uint32_t> NameTable::FindByHash(std::uint64_t hash,
                                                   const std::function<bool(std::string_view)>& fits) const {
  return Search(hash, fits);
}

std::uint32_t NameTable::Intern(std::string_view name) {
  if (free_.empty()) return Append(name);
  const RcuReadGuard guard;
  if (const auto known = Find(name)) return *known;
  const std::uint32_t number = free_.back();
  free_.pop_back();
  return Give(number, name);
}

std::uint32_t NameTable::Append(std::string_view name) {
  const RcuReadGuard guard;
  if (const auto known = Find(name)) return *known;
  const std::uint32_t number = size_.load(std::memory_order_relaxed);
  entries_.Grow(number + std::size_t{1});
  size_.store(number + 1, std::memory_order_release);
  return Give(number, name);
}

std::uint32_t NameTable::Give(std::uint32_t number, std::string_view name) {
  // The hash before the name: a reader who comes here by a cell of the name before finds no name, or the new one.
  entries_[number].hash.store(Hash64(name), std::memory_order_relaxed);
  entries_[number].name.store(new std::string(name), std::memory_order_seq_cst);
  text_bytes_ += TextBytes(name.size());
  Cells* cells = cells_.load(std::memory_order_relaxed);
  if ((used_cells_ + 1) * 2 > cells->mask) {
    RemakeCells(CellsFor(size() - free()));
  } else {
    Insert(cells, number);
    ++used_cells_;
  }
  return number;
}

void NameTable::RemakeCells(std::size_t cells) {
  auto* made = new Cells(cells);
  used_cells_ = 0;
  const std::uint32_t names = size();
  for (std::uint32_t i = 0; i < names; ++i) {
    if (entries_[i].name.load(std::memory_order_relaxed) == nullptr) continue;
    Insert(made, i);
    ++used_cells_;
  }
  RcuRetireObject(cells_.exchange(made, std::memory_order_seq_cst));
}

void NameTable::Reserve(std::uint32_t names) {
  entries_.Grow(names);
  const std::size_t wanted = CellsFor(names);
  if (wanted > cells_.load(std::memory_order_relaxed)->mask + 1) RemakeCells(wanted);
}

void NameTable::Skip() {
  const std::uint32_t number = size_.load(std::memory_order_relaxed);
  entries_.Grow(number + std::size_t{1});
  size_.store(number + 1, std::memory_order_release);
  free_.push_back(number);
}

std::string_view NameTable::Name(std::uint32_t number) const {
  const std::string* text = entries_[number].name.load(std::memory_order_seq_cst);
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

void NameTable::Forget(std::uint32_t number) {
  const std::string* text = entries_[number].name.exchange(nullptr, std::memory_order_seq_cst);
  if (text == nullptr) return;
  text_bytes_ -= TextBytes(text->size());
  free_.push_back(number);
  RcuRetireObject(text);
}

std::size_t NameTable::bytes() const {
  return entries_.bytes() + (cells_.load()->mask + 1) * sizeof(std::uint32_t) +
         free_.capacity() * sizeof(std::uint32_t) + text_bytes_;
}

}  // namespace warmline::base
