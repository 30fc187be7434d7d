// The frozen statistics of one generation, by term number. Immutable; shared by views.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/name_table.h"
#include "domain/statistics.h"

namespace warmline::index {

struct TermRelation {
  std::uint32_t term = 0;
  std::uint8_t discount = 0;  // units of 1/256
};

class StatisticsTable {
 public:
  StatisticsTable();
  // Gives numbers to the names that `dictionary` lacks: for the writer.
  StatisticsTable(const domain::Statistics& statistics, base::NameTable& dictionary);

  [[nodiscard]] std::int64_t generation() const { return generation_; }
  [[nodiscard]] std::uint64_t helpers() const { return helpers_; }
  // How many helpers have the term; 0 for one that the generation does not know.
  [[nodiscard]] std::uint64_t Having(std::uint32_t term) const {
    return term < entries_.size() ? entries_[term].having : 0;
  }
  // ranking::RarityOf the term; kNone, too, is a term that the generation does not know.
  [[nodiscard]] std::uint32_t Rarity(std::uint32_t term) const {
    return term < entries_.size() ? entries_[term].rarity : unknown_rarity_;
  }
  // Related terms, by discount descending, then by name.
  [[nodiscard]] std::span<const TermRelation> Relations(std::uint32_t term) const;
  // Terms of the generation in byte order of their names, and in that of the part after the facet.
  [[nodiscard]] const std::vector<std::uint32_t>& by_name() const { return by_name_; }
  [[nodiscard]] const std::vector<std::uint32_t>& by_bare_name() const { return by_bare_name_; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    std::uint32_t having = 0;
    std::uint32_t rarity = 0;
    std::uint32_t first_relation = 0;
    std::uint32_t relations = 0;
  };
  std::int64_t generation_ = 0;
  std::uint64_t helpers_ = 0;
  std::uint32_t unknown_rarity_ = 0;
  std::vector<Entry> entries_;
  std::vector<TermRelation> relations_;
  std::vector<std::uint32_t> by_name_;
  std::vector<std::uint32_t> by_bare_name_;
};

}  // namespace warmline::index
