#include "base/name_table.h"

#include <bit>
#include <memory>

#include "base/hash.h"
#include "base/rcu.h"

namespace warmline::base {

struct NameTable::Cells {
  explicit Cells(std::size_t count) : mask(count - 1), cell(new std::atomic<std::uint32_t>[count]()) {}
  std::size_t mask;
  std::unique_ptr<std::atomic<std::uint32_t>[]> cell;
};

NameTable::NameTable() : cells_(new Cells(1024)) {}

NameTable::~NameTable() {
  delete cells_.load();
  for (std::uint32_t i = 0; i < size(); ++i) delete entries_[i].name.load();
}

void NameTable::Insert(Cells* cells, std::uint32_t number) const {
  std::size_t at = entries_[number].hash & cells->mask;
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
    if (entry.hash != hash) continue;
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
  const RcuReadGuard guard;
  if (const auto known = Find(name)) return *known;
  const std::uint32_t number = size_.load(std::memory_order_relaxed);
  entries_.Grow(number + std::size_t{1});
  entries_[number].hash = Hash64(name);
  entries_[number].name.store(new std::string(name), std::memory_order_seq_cst);
  text_bytes_ += sizeof(std::string) + (name.size() > 15 ? name.size() + 1 : 0);
  size_.store(number + 1, std::memory_order_release);

  Cells* cells = cells_.load(std::memory_order_relaxed);
  if ((number + std::size_t{1}) * 2 > cells->mask) {
    Grow((cells->mask + 1) * 2);
  } else {
    Insert(cells, number);
  }
  return number;
}

void NameTable::Grow(std::size_t cells) {
  auto* larger = new Cells(cells);
  const std::uint32_t names = size_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < names; ++i) Insert(larger, i);
  RcuRetireObject(cells_.exchange(larger, std::memory_order_seq_cst));
}

void NameTable::Reserve(std::uint32_t names) {
  entries_.Grow(names);
  const std::size_t wanted = std::bit_ceil((names + std::size_t{1}) * 2);
  if (wanted > cells_.load(std::memory_order_relaxed)->mask + 1) Grow(wanted);
}

void NameTable::Skip() {
  const std::uint32_t number = size_.load(std::memory_order_relaxed);
  entries_.Grow(number + std::size_t{1});
  size_.store(number + 1, std::memory_order_release);
}

std::string_view NameTable::Name(std::uint32_t number) const {
  const std::string* text = entries_[number].name.load(std::memory_order_seq_cst);
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

void NameTable::Forget(std::uint32_t number) {
  RcuRetireObject(entries_[number].name.exchange(nullptr, std::memory_order_seq_cst));
}

std::size_t NameTable::bytes() const {
  return entries_.bytes() + (cells_.load()->mask + 1) * sizeof(std::uint32_t) + text_bytes_;
}

}  // namespace warmline::base
