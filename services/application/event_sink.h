// Port: where the changes of a pool are sent to, for backend services. Adapter: services/outbox.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "domain/change.h"

namespace warmline::application {

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Sends what changes tell, in order; returns once it is taken, with the number of events, which is 0 where there is
  // nothing to tell. Any error: not, or not surely, taken. One thread at a time.
  [[nodiscard]] virtual absl::StatusOr<int> Send(const std::string& pool,
                                                 const std::vector<domain::Change>& changes) = 0;
};

}  // namespace warmline::application
