// Who is connected, and whether one more may come: counts in all and by address, and who of them is still a stranger.
// Knows no socket and no clock. Thread-safety: one thread.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/transport_options.h"

namespace warmline::server {

// A stranger younger than this does not make room for another: it may be about to make its first call.
inline constexpr absl::Duration kStrangerGrace = absl::Seconds(1);
inline constexpr absl::Duration kPunishment = absl::Seconds(2);
// Addresses that are remembered for it.
inline constexpr std::size_t kMaxPunished = 10'000;

class ConnectionTable {
 public:
  // Rises with every connection: the smallest is the oldest.
  using Id = std::uint64_t;
  explicit ConnectionTable(const TransportOptions& limits) : limits_(limits) {}

  struct Verdict {
    // The label of warmline_connections_refused_total; null when the connection may come.
    const char* refused = nullptr;
    // The stranger that has to go for it.
    std::optional<Id> evicted;
  };
  [[nodiscard]] Verdict Ask(const std::string& address, absl::Time now) const;

  // A stranger from `address`.
  void Add(Id id, const std::string& address, absl::Time now);
  // No stranger any more.
  void Know(Id id);
  void Remove(Id id);
  // A stranger of this address flooded the server: no stranger may come from there for kPunishment. Returns the
  // strangers of that address, who have to go too, since floods come on many connections.
  [[nodiscard]] std::vector<Id> Punish(Id id, absl::Time now);

  [[nodiscard]] std::int64_t open() const { return static_cast<std::int64_t>(entries_.size()); }
  [[nodiscard]] const std::map<Id, absl::Time>& strangers() const { return strangers_; }

 private:
  struct OfAddress {
    int open = 0;
    std::set<Id> strangers;
  };
  TransportOptions limits_;
  absl::flat_hash_map<Id, std::string> entries_;
  absl::flat_hash_map<std::string, OfAddress> addresses_;
  absl::flat_hash_map<std::string, absl::Time> punished_;  // until then
  std::map<Id, absl::Time> strangers_;                     // and when they came
};

}  // namespace warmline::server
