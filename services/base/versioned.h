// A value in versions: a reader who holds a view of sequence s sees the newest version that is not newer than s.
// Thread-safety: `Read` from any thread under an RcuReadGuard; `Write` by one writer at a time. The writer retires what
// `Write` returns (RcuRetireObject) after it published the view of the new sequence, and not before.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace warmline::base {

template <typename T>
class Versioned {
 public:
  struct Version {
    T value;
    std::uint64_t sequence;
    const Version* older;
  };

  Versioned() = default;
  // Frees the newest version; older ones were retired.
  ~Versioned() { delete head_.load(); }
  Versioned(const Versioned&) = delete;
  Versioned& operator=(const Versioned&) = delete;

  // Null when there was no value at that sequence.
  [[nodiscard]] const T* Read(std::uint64_t sequence) const {
    const Version* version = head_.load(std::memory_order_seq_cst);
    while (version != nullptr && version->sequence > sequence) version = version->older;
    return version == nullptr ? nullptr : &version->value;
  }

  // The newest value, for the writer.
  [[nodiscard]] const T* Newest() const {
    const Version* version = head_.load(std::memory_order_relaxed);
    return version == nullptr ? nullptr : &version->value;
  }

  // Returns the version that readers of older views still see, to be retired.
  [[nodiscard]] const Version* Write(T value, std::uint64_t sequence) {
    const Version* old = head_.load(std::memory_order_relaxed);
    head_.store(new Version{std::move(value), sequence, old}, std::memory_order_seq_cst);
    return old;
  }

  // Forgets the value, once no reader can need it: returns the version to be retired.
  [[nodiscard]] const Version* Clear() { return head_.exchange(nullptr, std::memory_order_seq_cst); }

 private:
  std::atomic<const Version*> head_{nullptr};
};

}  // namespace warmline::base
