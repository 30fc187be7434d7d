// A PostgreSQL of the test's own, in a directory and on a port of its own. One thread.
#pragma once

#include <string>

#include "support/child_process.h"

namespace warmline::testing {

class PostgresServer {
 public:
  // `durable`: with fsync, as a real one; without, a test that only kills processes loses nothing either.
  explicit PostgresServer(bool durable = false);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // False when it does not start: `why` says what is missing.
  [[nodiscard]] bool runs() const { return server_.running() && why_.empty(); }
  [[nodiscard]] const std::string& why() const { return why_; }
  // Of a database that is made now, empty.
  [[nodiscard]] std::string NewDatabase();
  // Of a database, for libpq; through another port where one is given (a gate).
  [[nodiscard]] std::string ConnInfo(const std::string& database, int port = 0) const;
  [[nodiscard]] int port() const { return port_; }
  // Runs statements as the owner; true when they worked.
  bool Run(const std::string& database, const std::string& sql) const;
  bool RunAt(const std::string& conninfo, const std::string& sql) const;
  [[nodiscard]] const std::string& directory() const { return directory_; }
  void Kill9();
  void Start();
  void Signal(int signal) const { server_.Signal(signal); }

 private:
  const bool durable_;
  std::string directory_;
  int port_ = 0;
  int databases_ = 0;
  ChildProcess server_;
  std::string why_;
};

}  // namespace warmline::testing
