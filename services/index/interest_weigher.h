// Adds up what the interests of one helper are worth to a query, from the helper's row: exactly. Thread-safety: one
// InterestWeigher belongs to one thread at a time.
#pragma once

#include <array>
#include <cstdint>

#include "domain/limits.h"
#include "index/query.h"
#include "index/row.h"

namespace warmline::index {

class InterestWeigher {
 public:
  struct Shared {
    std::uint64_t sum = 0;  // over own terms of weight times level, the best accepted term of each
    bool any = false;       // shares an accepted interest, at whatever level
    bool own_rare = false;  // shares an own term that is rare
  };

  void Prepare(const Query& query);
  [[nodiscard]] Shared Weigh(const RowView& row) const;

 private:
  // Open addressing by term; a term may stand for several own terms, each in a cell of its own.
  static constexpr std::size_t kCells = 256;
  static_assert(kCells >= 4 * domain::kMaxQueryTerms);
  struct Cell {
    std::uint32_t term = kNone;
    std::uint16_t discount = 0;
    std::uint8_t own = 0;
    bool rare = false;
  };
  static std::size_t First(std::uint32_t term) { return term * 2654435761U >> 24; }

  std::array<Cell, kCells> cells_;
  std::array<std::uint64_t, domain::kMaxQueryTerms> weights_{};
  std::size_t own_ = 0;
};

}  // namespace warmline::index
