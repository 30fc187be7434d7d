// Sockets that listen. Thread-safety: any thread.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "base/descriptor.h"

namespace warmline::base {

struct ListenSockets {
  std::vector<Descriptor> sockets;
  int port = 0;
};

// Listens on every address that `host` stands for: an IPv4 or IPv6 address (with or without brackets), or a name. The
// wildcards 0.0.0.0 and [::] mean all addresses of both families, where there are both. Port 0 chooses one, the same
// for all. No other process may listen there (no SO_REUSEPORT: each would get half of the connections). The error names
// what failed.
[[nodiscard]] absl::StatusOr<ListenSockets> ListenOn(const std::string& host, int port);

}  // namespace warmline::base
