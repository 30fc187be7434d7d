// How often a member may name somebody whom they may not know of. Such a call never says whether that somebody is
// there; the limit is for what it costs, for what clocks might tell, and for blocks, whose effect on the blocker's own
// matches cannot be hidden. In memory, each replica by itself. Thread-safety: all calls from any thread.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <mutex>
#include <string>

#include "application/access.h"
#include "application/metrics.h"
#include "application/pool_registry.h"

namespace warmline::application {

// What names somebody: a look-up or a proposed tie; or a block, which takes effect.
enum class GuessKind : std::uint8_t { kLookUp, kBlock };

class GuessLimit {
 public:
  explicit GuessLimit(Metrics& metrics) : metrics_(metrics) {}
  GuessLimit(const GuessLimit&) = delete;
  GuessLimit& operator=(const GuessLimit&) = delete;

  // Errors: RESOURCE_EXHAUSTED (LIMIT_REACHED) with when to try again, where the member has no guess left. Operators
  // always have.
  [[nodiscard]] absl::Status Check(GuessKind kind, const Caller& caller, const std::string& pool, absl::Time now);
  // The same, and takes one.
  [[nodiscard]] absl::Status Take(GuessKind kind, const Caller& caller, const std::string& pool, absl::Time now);
  // Takes one for a call that was let through and found nobody.
  void Count(GuessKind kind, const Caller& caller, const std::string& pool, absl::Time now);

 private:
  // The earliest time that the member has all guesses again (the generic cell rate algorithm, as RateLimit).
  using Book = absl::flat_hash_map<std::string, absl::Time>;
  absl::Status Ask(GuessKind kind, const Caller& caller, const std::string& pool, absl::Time now, bool take);
  static void MakeRoom(Book& book, absl::Time now);

  Metrics& metrics_;
  std::mutex mutex_;
  Book books_[2];  // by GuessKind; guarded by mutex_
};

// Takes a guess where a caller names a member whom they may not know of, whether or not that member is there. Errors:
// those of GuessLimit::Take, and of the store.
[[nodiscard]] absl::Status TakeGuess(GuessLimit& guesses, GuessKind kind, const PoolRegistry& pools,
                                     RecordReader& reader, const Caller& caller, const std::string& pool,
                                     const std::string& id, absl::Time now);

}  // namespace warmline::application
