// What a store can take at best: the rows that one write makes (the record, the row of the change log, the kept reply,
// and the pool's head), in batches, durable, on one connection, by nothing but the database's client library. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "simulation/community.h"

namespace warmline::bench {

// Without the id, which is new each time.
struct WriteRow {
  std::string payload;
  std::string log_payload;
};
[[nodiscard]] std::vector<WriteRow> MakeRows(const simulation::Community& community, std::int64_t count);

class SqliteBaseline {
 public:
  SqliteBaseline(const std::string& path, const std::vector<WriteRow>& rows);
  ~SqliteBaseline();
  SqliteBaseline(const SqliteBaseline&) = delete;
  SqliteBaseline& operator=(const SqliteBaseline&) = delete;
  // Writes a second, in batches of `batch`, for so long.
  double Rate(int batch, double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Prepared inserts in libpq's pipeline mode, a batch in one transaction. The database has the store's tables.
class PostgresBaseline {
 public:
  PostgresBaseline(const std::string& conninfo, const std::vector<WriteRow>& rows);
  ~PostgresBaseline();
  PostgresBaseline(const PostgresBaseline&) = delete;
  PostgresBaseline& operator=(const PostgresBaseline&) = delete;
  double Rate(int batch, double seconds);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warmline::bench
