#include "server/records.h"

#include "storage/postgres/store.h"
#include "storage/sqlite/store.h"

namespace warmline::server {
namespace {

// Connections to the database for reading, beside those of the threads that read for calls: to follow the log, to build
// an index, for an export.
constexpr int kOtherReaders = 4;

}  // namespace

absl::StatusOr<std::unique_ptr<application::RecordStore>> OpenRecords(const Config& config) {
  if (config.postgres.empty()) return storage::sqlite::Store::Open({.path = DatabasePath(config.data_dir)});
  storage::postgres::StoreOptions options;
  options.connection.conninfo = config.postgres;
  options.max_readers = config.read_threads + kOtherReaders;
  return storage::postgres::Store::Open(options);
}

}  // namespace warmline::server
