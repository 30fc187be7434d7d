// What a server tells others besides its answers: events, and the audit log; as a configuration asks for them. One
// thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "application/audit.h"
#include "application/clock.h"
#include "application/event_sink.h"
#include "application/metrics.h"
#include "domain/revision.h"
#include "server/config.h"

namespace warmline::server {

inline constexpr std::size_t kMinAuditKeyBytes = 16;

// Where events are sent; null: nowhere. Errors: INVALID_ARGUMENT, naming the option.
[[nodiscard]] absl::StatusOr<std::unique_ptr<application::EventSink>> MakeEventSink(
    const Config& config, const domain::RevisionTokens& revisions, const application::Clock& clock);

// Where the audit log is written; null: nowhere. Errors: INVALID_ARGUMENT, naming the option.
[[nodiscard]] absl::StatusOr<std::unique_ptr<application::AuditLog>> OpenAudit(const Config& config,
                                                                               application::Metrics& metrics);

}  // namespace warmline::server
