// The store that a configuration names. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <memory>

#include "application/record_store.h"
#include "server/config.h"

namespace warmline::server {

// Opens it, having brought its schema to this version. Errors: those of the store.
[[nodiscard]] absl::StatusOr<std::unique_ptr<application::RecordStore>> OpenRecords(const Config& config);

}  // namespace warmline::server
