// The writes of a transaction that were not sent yet, in order, and how they are sent: of a stretch of them only the
// last of each record, all of one table in one statement. Thread-safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/postgres/connection.h"

namespace warmline::storage::postgres {

class PendingWrites {
 public:
  enum class Table { kPool, kMember, kConnection, kBlock, kNeed, kStatistics, kChangeLog, kReply, kIntroduction };
  // A row that is put, or one that is deleted (connection and block only). What the columns are is in Send.
  struct Write {
    Table table = Table::kMember;
    bool remove = false;
    std::string pool;
    std::string a;
    std::string b;
    std::string payload;
    std::int64_t number = 0;
    std::int64_t time = 0;
    // Of introductions only.
    std::string c = {};
    std::string d = {};
    std::int64_t asked = 0;
  };

  void Add(Write write) { writes_.push_back(std::move(write)); }
  [[nodiscard]] std::size_t size() const { return writes_.size(); }
  [[nodiscard]] bool empty() const { return writes_.empty(); }
  void Truncate(std::size_t size) { writes_.resize(size); }
  void Clear() { writes_.clear(); }
  // Queues the statements for the writes from `begin` to before `end`.
  void Send(Connection& connection, std::size_t begin, std::size_t end) const;

 private:
  std::vector<Write> writes_;
};

}  // namespace warmline::storage::postgres
