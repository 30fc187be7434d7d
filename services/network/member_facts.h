// What a query needs to know of one member, in versions, in eight bytes where there are neither blocks, nor asks, nor a
// version that an older view still sees. Thread-safety: `Read` from any thread under a base::RcuReadGuard; everything
// else by one writer at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace warmline::network {

struct MemberFacts {
  bool exists = false;  // false for one that was erased, or that only ties and blocks name
  bool introduces = false;
  std::uint32_t conflict_set = 0;
  std::vector<std::uint32_t> blocks;      // sorted
  std::vector<std::uint32_t> blocked_by;  // sorted
  // Helpers whom the member may not be matched with for a while, sorted: AskBar of each
  // introduction that says so, so a helper may stand here twice.
  std::vector<std::uint32_t> barred;
  std::vector<std::uint32_t> barred_by;  // the seekers of those, the other way round
};

// A helper whom a seeker has an open ask with, or whom an ask to cools down.
[[nodiscard]] constexpr std::uint32_t AskBar(std::uint32_t helper, bool open) { return helper << 1 | (open ? 1U : 0U); }
[[nodiscard]] constexpr std::uint32_t HelperOf(std::uint32_t bar) { return bar >> 1; }

// Facts where they lie; valid while the reader's guard lives.
struct FactsView {
  bool exists = false;
  bool introduces = false;
  std::uint32_t conflict_set = 0;
  std::span<const std::uint32_t> blocks;
  std::span<const std::uint32_t> blocked_by;
  std::span<const std::uint32_t> barred;
};

class VersionedFacts {
 public:
  // A version of its own, on the heap.
  struct Version {
    MemberFacts facts;
    std::uint64_t sequence;
    std::uint64_t older;  // a word as below
  };

  VersionedFacts() = default;
  // Frees the newest version; older ones were retired.
  ~VersionedFacts() { delete AsVersion(word_.load()); }
  VersionedFacts(const VersionedFacts&) = delete;
  VersionedFacts& operator=(const VersionedFacts&) = delete;

  // The newest facts that are not newer than `sequence`. The first facts of a member are seen by older views too, which
  // hold neither the member's document nor its ties.
  [[nodiscard]] FactsView Read(std::uint64_t sequence) const;
  [[nodiscard]] bool HasVersion() const { return AsVersion(word_.load(std::memory_order_relaxed)) != nullptr; }
  // A copy of the newest facts, for the writer.
  [[nodiscard]] MemberFacts Newest() const;
  // Returns the version to be retired once a view of `sequence` was published, if there is one.
  [[nodiscard]] const Version* Write(MemberFacts facts, std::uint64_t sequence);
  // Once no reader holds a view before `sequence`: moves facts without lists into the word, unless they are newer.
  // Returns the version to be retired.
  [[nodiscard]] const Version* Settle(std::uint64_t sequence);

 private:
  // Either a Version* (even), or facts without lists: 1, exists in bit 1, introduces in bit 2, the conflict set in the
  // upper half. 0: never written.
  static const Version* AsVersion(std::uint64_t word) {
    return (word & 1) != 0 || word == 0 ? nullptr : reinterpret_cast<const Version*>(word);  // NOLINT
  }
  static std::optional<std::uint64_t> Pack(const MemberFacts& facts);

  std::atomic<std::uint64_t> word_{0};
};

}  // namespace warmline::network
