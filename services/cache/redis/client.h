// Redis as one thing, whatever it consists of: a server, a master that Sentinels name, or a Cluster. Commands go to the
// node that has their key; a node that is gone, no longer a master, or no longer has the slot is found anew. While
// Redis cannot be reached, calls fail at once (a circuit breaker), but for one attempt after growing pauses with
// jitter. Thread-safety: one thread at a time.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "application/clock.h"
#include "application/metrics.h"
#include "cache/redis/connection.h"

namespace warmline::cache::redis {

// The slot of a key in a Cluster: CRC16 (XMODEM) of it, or of the part between the first braces, modulo 16384 (the
// Redis Cluster specification).
[[nodiscard]] int SlotOf(std::string_view key);

class Client {
 public:
  // `use` names the client in metrics: "cache" or "feed".
  Client(Config config, const char* use, const application::Clock& clock, application::Metrics& metrics);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // A command whose second argument is its key, but for EVAL and EVALSHA, whose fourth is, and XREAD, whose key follows
  // STREAMS.
  [[nodiscard]] absl::StatusOr<Reply> Do(const Arguments& command);
  // The same, with longer to wait, for commands that block.
  [[nodiscard]] absl::StatusOr<Reply> DoWithin(const Arguments& command, absl::Duration timeout);
  // Many commands at once, the replies in their order; a reply may be an error of Redis. UNAVAILABLE when some could
  // not be asked: then none is returned, though some may have been done.
  [[nodiscard]] absl::StatusOr<std::vector<Reply>> Pipeline(const std::vector<Arguments>& commands);
  // As one command to any node, for what is not about a key.
  [[nodiscard]] absl::StatusOr<Reply> Ask(const Arguments& command);

  [[nodiscard]] const Config& config() const { return config_; }
  // A key of this deployment: "<prefix>:<rest>".
  [[nodiscard]] std::string Key(std::string_view rest) const;

 private:
  struct Node;
  // What came of a round: replies, and which commands must be sent again.
  struct Round;

  absl::StatusOr<std::vector<Reply>> Run(const std::vector<Arguments>& commands, absl::Duration timeout);
  absl::StatusOr<Connection*> NodeAt(const Address& address);
  absl::StatusOr<Address> AddressFor(std::string_view key);
  absl::Status FindMaster();
  absl::Status ReadSlots();
  absl::Status RunRound(const std::vector<Arguments>& commands, absl::Duration timeout, Round& round);
  void Forget(const Address& address);
  // The breaker.
  absl::Status Allowed();
  void Note(const absl::Status& status);

  const Config config_;
  const char* const use_;
  const application::Clock& clock_;
  application::Metrics& metrics_;
  std::mt19937_64 random_;
  std::map<Address, std::unique_ptr<Connection>> nodes_;
  std::vector<Address> slots_;  // by slot; of a Cluster, empty until they are read
  Address master_;              // of the others; port 0 and no host until it is found
  int failures_ = 0;
  absl::Time next_attempt_;
  absl::Status last_failure_;
};

}  // namespace warmline::cache::redis
