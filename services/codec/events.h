// What Warmline tells of by itself: notices, and the events of the outbox. Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/change.h"
#include "domain/error.h"
#include "domain/revision.h"
#include "warmline/v1/event.pb.h"

namespace warmline::codec {

[[nodiscard]] warmline::v1::Notice ToProto(const std::string& pool, const domain::Notice& notice);
[[nodiscard]] domain::Notice FromProto(const std::string& pool, const warmline::v1::Notice& message,
                                       domain::Violations& violations);

// The event that tells of a change; nothing for one that is not told (ties, blocks, statistics, erased rows).
// `revisions` are of the store.
[[nodiscard]] std::optional<warmline::v1::Event> EventOf(const std::string& pool,
                                                         const domain::RevisionTokens& revisions,
                                                         const domain::Change& change);
// As JSON of proto3, the names of fields as in the proto.
[[nodiscard]] std::string ToJson(const warmline::v1::EventBatch& batch);

}  // namespace warmline::codec
