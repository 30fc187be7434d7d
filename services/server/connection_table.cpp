#include "server/connection_table.h"

namespace warmline::server {
namespace {

ConnectionTable::Id IdOf(ConnectionTable::Id id) { return id; }
ConnectionTable::Id IdOf(const std::pair<const ConnectionTable::Id, absl::Time>& entry) { return entry.first; }

}  // namespace

ConnectionTable::Verdict ConnectionTable::Ask(const std::string& address, absl::Time now) const {
  if (const auto punished = punished_.find(address); punished != punished_.end() && punished->second > now)
    return {.refused = "punished", .evicted = {}};
  const auto found = addresses_.find(address);
  // Makes room by the oldest of `strangers`, where one is old enough.
  const auto oldest_of = [&](const auto& strangers, const char* otherwise) -> Verdict {
    if (strangers.empty()) return {.refused = otherwise, .evicted = {}};
    const Id oldest = IdOf(*strangers.begin());
    if (strangers_.at(oldest) + kStrangerGrace > now) return {.refused = otherwise, .evicted = {}};
    return {.refused = nullptr, .evicted = oldest};
  };
  if (found != addresses_.end()) {
    const OfAddress& here = found->second;
    if (here.open >= limits_.max_connections_per_address) return oldest_of(here.strangers, "per_address");
    if (static_cast<int>(here.strangers.size()) >= limits_.max_strangers_per_address)
      return oldest_of(here.strangers, "strangers_per_address");
  }
  if (open() >= limits_.max_connections) return oldest_of(strangers_, "total");
  if (static_cast<int>(strangers_.size()) >= limits_.max_strangers) return oldest_of(strangers_, "strangers");
  return {};
}

void ConnectionTable::Add(Id id, const std::string& address, absl::Time now) {
  entries_[id] = address;
  OfAddress& here = addresses_[address];
  ++here.open;
  here.strangers.insert(id);
  strangers_[id] = now;
}

void ConnectionTable::Know(Id id) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return;
  strangers_.erase(id);
  addresses_[entry->second].strangers.erase(id);
}

std::vector<ConnectionTable::Id> ConnectionTable::Punish(Id id, absl::Time now) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return {};
  if (punished_.size() >= kMaxPunished) absl::erase_if(punished_, [now](const auto& one) { return one.second <= now; });
  if (punished_.size() < kMaxPunished) punished_[entry->second] = now + kPunishment;
  const std::set<Id>& strangers = addresses_[entry->second].strangers;
  return {strangers.begin(), strangers.end()};
}

void ConnectionTable::Remove(Id id) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return;
  Know(id);
  const auto here = addresses_.find(entry->second);
  if (--here->second.open == 0) addresses_.erase(here);
  entries_.erase(entry);
}

}  // namespace warmline::server
