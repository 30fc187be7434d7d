// Finds which interests, sets of attributes and combinations of them a pool still uses, away from the writing thread:
// the writer starts a sweep, any thread runs it, and the writer then frees what is not used, following what was used
// meanwhile. Readers never wait for it; the writer waits at the end for those who read older views.
// Ownership: holds what it reads. Thread-safety: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "index/view.h"

namespace warmline::index {

// Numbers that are used.
class DictionaryUse {
 public:
  void Term(std::uint32_t number) { Mark(terms_, number); }
  void Set(std::uint32_t number) { Mark(sets_, number); }
  void Combination(std::uint32_t number) { Mark(combinations_, number); }
  void Add(const StatisticsTable& statistics);
  void Add(const DictionaryUse& other);
  // The sets that combinations in use consist of.
  void AddSetsOf(const AttributeTable& attributes);

  // Frees everything that is not used; the number of what was freed.
  std::uint32_t Free(Tables& tables) const;

 private:
  static void Mark(std::vector<bool>& used, std::uint32_t number) {
    if (number >= used.size()) used.resize(number + std::size_t{1} + used.size() / 2);
    used[number] = true;
  }
  static bool Has(const std::vector<bool>& used, std::uint32_t number) { return number < used.size() && used[number]; }

  std::vector<bool> terms_;
  std::vector<bool> sets_;
  std::vector<bool> combinations_;
};

class DictionarySweep {
 public:
  DictionarySweep(std::shared_ptr<const Tables> tables, View view)
      : tables_(std::move(tables)), view_(std::move(view)) {}

  // Looks through the living documents and the facts of members.
  void Run();

 private:
  friend class PoolIndex;

  std::shared_ptr<const Tables> tables_;
  View view_;
  DictionaryUse used_;
};

}  // namespace warmline::index
