// Port: where the changes of a pool are sent to, for backend services. Adapter: services/outbox.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <vector>

#include "domain/change.h"

namespace warmline::application {

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Sends what changes tell, in order; returns once it is taken. Any error: not, or not surely, taken. One thread at a
  // time.
  [[nodiscard]] virtual absl::Status Send(const std::string& pool, const std::vector<domain::Change>& changes) = 0;
};

}  // namespace warmline::application
