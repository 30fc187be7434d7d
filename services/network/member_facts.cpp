#include "network/member_facts.h"

#include <utility>

namespace warmline::network {
namespace {

FactsView FromWord(std::uint64_t word) {
  if (word == 0) return {};
  return {(word & 2) != 0, (word & 4) != 0, static_cast<std::uint32_t>(word >> 32), {}, {}, {}};
}

}  // namespace

std::optional<std::uint64_t> VersionedFacts::Pack(const MemberFacts& facts) {
  if (!facts.blocks.empty() || !facts.blocked_by.empty() || !facts.barred.empty() || !facts.barred_by.empty())
    return std::nullopt;
  return std::uint64_t{1} | (facts.exists ? 2U : 0U) | (facts.introduces ? 4U : 0U) |
         std::uint64_t{facts.conflict_set} << 32;
}

FactsView VersionedFacts::Read(std::uint64_t sequence) const {
  std::uint64_t word = word_.load(std::memory_order_seq_cst);
  const Version* version = AsVersion(word);
  while (version != nullptr && version->sequence > sequence) {
    word = version->older;
    version = AsVersion(word);
  }
  if (version == nullptr) return FromWord(word);
  const MemberFacts& f = version->facts;
  return {f.exists, f.introduces, f.conflict_set, f.blocks, f.blocked_by, f.barred};
}

MemberFacts VersionedFacts::Newest() const {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (const Version* version = AsVersion(word)) return version->facts;
  const FactsView view = FromWord(word);
  MemberFacts facts;
  facts.exists = view.exists;
  facts.introduces = view.introduces;
  facts.conflict_set = view.conflict_set;
  return facts;
}

const VersionedFacts::Version* VersionedFacts::Write(MemberFacts facts, std::uint64_t sequence) {
  const std::uint64_t before = word_.load(std::memory_order_relaxed);
  const auto packed = Pack(facts);
  if (before == 0 && packed) {
    word_.store(*packed, std::memory_order_seq_cst);
    return nullptr;
  }
  const auto* version = new Version{std::move(facts), sequence, before};
  word_.store(reinterpret_cast<std::uint64_t>(version), std::memory_order_seq_cst);  // NOLINT
  return AsVersion(before);
}

const VersionedFacts::Version* VersionedFacts::Settle(std::uint64_t sequence) {
  const Version* version = AsVersion(word_.load(std::memory_order_relaxed));
  if (version == nullptr || version->sequence > sequence) return nullptr;
  const auto packed = Pack(version->facts);
  if (!packed) return nullptr;
  word_.store(*packed, std::memory_order_seq_cst);
  return version;
}

}  // namespace warmline::network
