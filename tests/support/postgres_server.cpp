#include "support/postgres_server.h"

#include <libpq-fe.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>

namespace warmline::testing {
namespace {

constexpr char kPrograms[] = "/usr/lib/postgresql/15/bin/";
constexpr int kStartSeconds = 30;

using Handle = std::unique_ptr<PGconn, decltype(&PQfinish)>;
Handle Connect(const std::string& conninfo) { return {PQconnectdb(conninfo.c_str()), PQfinish}; }

}  // namespace

PostgresServer::PostgresServer(bool durable)
    : durable_(durable), directory_(TemporaryDirectory("postgres", true)), port_(FreePort()) {
  if (!std::filesystem::exists(std::string(kPrograms) + "initdb")) {
    why_ = "PostgreSQL 15 is not installed: run scripts/install-packages test";
    return;
  }
  ChildProcess initdb({std::string(kPrograms) + "initdb", "-D", directory_ + "/data", "-U", "warmline", "--no-sync",
                       "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"},
                      true, directory_ + "/initdb.log");
  if (!initdb.Wait()) {
    why_ = "initdb failed: see " + directory_ + "/initdb.log";
    return;
  }
  Start();
}

PostgresServer::~PostgresServer() {
  server_.Stop();
  if (why_.empty()) std::filesystem::remove_all(directory_);
}

void PostgresServer::Start() {
  server_ = ChildProcess(
      {std::string(kPrograms) + "postgres", "-D", directory_ + "/data", "-k", directory_, "-p", std::to_string(port_),
       "-c", "listen_addresses=127.0.0.1", "-c", durable_ ? "fsync=on" : "fsync=off", "-c", "shared_buffers=256MB",
       "-c", "max_connections=200", "-c", "restart_after_crash=on"},
      true, directory_ + "/server.log");
  for (int i = 0; i < kStartSeconds * 50; ++i) {
    if (PQstatus(Connect(ConnInfo("postgres")).get()) == CONNECTION_OK) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  why_ = "PostgreSQL does not start: see " + directory_ + "/server.log";
}

void PostgresServer::Kill9() { server_.Kill9(); }

std::string PostgresServer::ConnInfo(const std::string& database, int port) const {
  return "host=127.0.0.1 port=" + std::to_string(port == 0 ? port_ : port) + " user=warmline dbname=" + database;
}

std::string PostgresServer::NewDatabase() {
  const std::string name = "test_" + std::to_string(++databases_);
  return Run("postgres", "CREATE DATABASE " + name) ? name : "";
}

bool PostgresServer::Run(const std::string& database, const std::string& sql) const {
  return RunAt(ConnInfo(database), sql);
}

bool PostgresServer::RunAt(const std::string& conninfo, const std::string& sql) const {
  const Handle connection = Connect(conninfo);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), PQclear);
  const auto status = PQresultStatus(result.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace warmline::testing
