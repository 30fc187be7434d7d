#include "index/dictionary_sweep.h"

#include <algorithm>

#include "base/rcu.h"
#include "index/pool_index.h"

namespace warmline::index {
namespace {

// The share of the names left by the last sweep, as a divisor, by which they may grow before the next.
constexpr std::uint32_t kSweptShare = 4;
// Members looked at under one guard.
constexpr std::uint32_t kMembersPerGuard = 1U << 14;

std::uint32_t NamesOf(const Tables& tables) {
  return tables.terms.size() - tables.terms.free() + tables.sets.size() - tables.sets.free() +
         tables.attributes.size() - tables.attributes.free();
}

void Merge(std::vector<bool>& into, const std::vector<bool>& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i]) into[i] = true;
  }
}

}  // namespace

void DictionaryUse::Add(const StatisticsTable& statistics) {
  for (const std::uint32_t term : statistics.by_name()) {
    Term(term);
    for (const TermRelation& relation : statistics.Relations(term)) Term(relation.term);
  }
}

void DictionaryUse::Add(const DictionaryUse& other) {
  Merge(terms_, other.terms_);
  Merge(sets_, other.sets_);
  Merge(combinations_, other.combinations_);
}

void DictionaryUse::AddSetsOf(const AttributeTable& attributes) {
  for (std::uint32_t i = 0; i < attributes.size(); ++i) {
    if (!Has(combinations_, i)) continue;
    Set(attributes[i].languages);
    Set(attributes[i].places);
    Set(attributes[i].preferences);
  }
}

std::uint32_t DictionaryUse::Free(Tables& tables) const {
  const std::uint32_t before = NamesOf(tables);
  for (std::uint32_t i = 0; i < tables.terms.size(); ++i) {
    if (!Has(terms_, i)) tables.terms.Forget(i);
  }
  for (std::uint32_t i = 0; i < tables.attributes.size(); ++i) {
    if (!Has(combinations_, i)) tables.attributes.Forget(i);
  }
  for (std::uint32_t i = 0; i < tables.sets.size(); ++i) {
    if (!Has(sets_, i)) tables.sets.Forget(i);
  }
  return before - NamesOf(tables);
}

void DictionarySweep::Run() {
  for (const SegmentState& state : view_.segments) {
    const Segment& segment = *state.segment;
    for (std::uint32_t doc = 0; doc < segment.size(); ++doc) {
      if (!segment.LivesAt(doc, UINT64_MAX)) continue;
      used_.Combination(segment.filter(doc).attributes);
      segment.row(doc).ForEachTerm([&](std::uint32_t term, std::uint8_t) { used_.Term(term); });
    }
  }
  const std::uint32_t members = tables_->members.size();
  for (std::uint32_t begin = 0; begin < members; begin += kMembersPerGuard) {
    const base::RcuReadGuard guard;  // a short one, so that nobody waits for the whole
    for (std::uint32_t m = begin; m < std::min(members, begin + kMembersPerGuard); ++m)
      used_.Set(tables_->members.facts(m).Read(UINT64_MAX).conflict_set);
  }
}

std::uint32_t PoolIndex::TermOf(std::string_view canonical) {
  const std::uint32_t number = tables_.terms.Intern(canonical);
  if (used_meanwhile_ != nullptr) used_meanwhile_->Term(number);
  return number;
}

std::uint32_t PoolIndex::SetOf(std::vector<std::string> members) {
  const std::uint32_t number = tables_.sets.Intern(std::move(members));
  if (used_meanwhile_ != nullptr) used_meanwhile_->Set(number);
  return number;
}

std::uint32_t PoolIndex::CombinationOf(const Attributes& attributes) {
  const std::uint32_t number = tables_.attributes.Intern(attributes);
  if (used_meanwhile_ != nullptr) used_meanwhile_->Combination(number);
  return number;
}

std::unique_ptr<DictionarySweep> PoolIndex::StartSweep() {
  const std::uint32_t more = std::max(sweep_after_, names_left_ / kSweptShare);
  return NamesOf(tables_) <= names_left_ + more ? nullptr : SweepNow();
}

std::unique_ptr<DictionarySweep> PoolIndex::SweepNow() {
  if (used_meanwhile_ != nullptr || tables_.pins.load() > 0) return nullptr;
  used_meanwhile_ = std::make_unique<DictionaryUse>();
  const base::RcuReadGuard guard;
  return std::make_unique<DictionarySweep>(owned_tables_, view());
}

std::optional<std::uint32_t> PoolIndex::FinishSweep(const DictionarySweep& sweep) {
  if (sweep.tables_ != owned_tables_) return std::nullopt;
  DictionaryUse used = std::move(*used_meanwhile_);
  used_meanwhile_.reset();
  if (tables_.pins.load() > 0) return std::nullopt;  // due again
  // Readers of older views may still come by what nobody has any longer.
  base::RcuSynchronize();
  used.Add(sweep.used_);
  {
    const base::RcuReadGuard guard;
    used.Add(*view().statistics);
  }
  used.AddSetsOf(tables_.attributes);
  const std::uint32_t freed = used.Free(tables_);
  names_left_ = NamesOf(tables_);
  return freed;
}

}  // namespace warmline::index
