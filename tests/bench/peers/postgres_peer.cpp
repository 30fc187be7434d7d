// A row a helper with an array of interests, a GIN index over them (intarray), and the rows that share most.
#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "bench/peers/peer.h"

namespace warmline::bench {
namespace {

constexpr char kPrograms[] = "/usr/lib/postgresql/15/bin/";

class PostgresPeer final : public Peer {
 public:
  std::string name() const override { return "postgres_intarray_gin"; }
  Scoring scoring() const override { return Scoring::kSharedTerms; }

  bool Load(const PeerData& data, const std::string& directory) override {
    const std::string home = directory + "/postgres";
    std::filesystem::create_directory(home);
    std::filesystem::permissions(directory, std::filesystem::perms::all);
    std::filesystem::permissions(home, std::filesystem::perms::all);
    ChildProcess initdb(
        {std::string(kPrograms) + "initdb", "-D", home + "/data", "-U", "bench", "--no-sync", "-A", "trust"}, true);
    if (initdb.Wait()) {
      server_ = ChildProcess(
          {std::string(kPrograms) + "postgres", "-D", home + "/data", "-k", home, "-h", "", "-c", "fsync=off", "-c",
           "shared_buffers=1GB", "-c", "work_mem=256MB", "-c", "maintenance_work_mem=1GB"},
          true);
      for (int i = 0; i < 100 && PQstatus(connection_.get()) != CONNECTION_OK; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        connection_.reset(PQconnectdb(("host=" + home + " user=bench dbname=postgres").c_str()));
      }
    }
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
      std::fprintf(stderr, "bench_peers: PostgreSQL does not start: is it installed (scripts/packages.txt)?\n");
      return false;
    }
    if (!Do("CREATE EXTENSION intarray") || !Do("CREATE TABLE helper (id int4 NOT NULL, terms int4[] NOT NULL)"))
      return false;
    Result copy(PQexec(connection_.get(), "COPY helper FROM STDIN"));
    std::string lines;
    for (std::size_t helper = 0; helper < data.helpers.size(); ++helper) {
      lines += std::to_string(helper) + "\t" + ArrayOf(data.helpers[helper]) + "\n";
      if (lines.size() < 1'000'000 && helper + 1 < data.helpers.size()) continue;
      PQputCopyData(connection_.get(), lines.data(), static_cast<int>(lines.size()));
      lines.clear();
    }
    PQputCopyEnd(connection_.get(), nullptr);
    while (Result(PQgetResult(connection_.get())) != nullptr) {
    }
    return Do("CREATE INDEX ON helper USING gin (terms gin__int_ops)") && Do("VACUUM ANALYZE helper") &&
           Do("PREPARE best(int4[]) AS SELECT id, icount(terms & $1) AS shared FROM helper WHERE terms && $1 "
              "ORDER BY shared DESC, id LIMIT 10");
  }

  std::vector<std::pair<std::uint32_t, double>> Answer(const PeerQuery& query) override {
    std::vector<PeerTerm> terms;
    for (const auto& [term, weight] : query) terms.push_back({term, 0});
    const Result rows(PQexec(connection_.get(), ("EXECUTE best('" + ArrayOf(terms) + "')").c_str()));
    std::vector<std::pair<std::uint32_t, double>> best;
    for (int i = 0; i < PQntuples(rows.get()); ++i)
      best.emplace_back(static_cast<std::uint32_t>(std::stoul(PQgetvalue(rows.get(), i, 0))),
                        std::stod(PQgetvalue(rows.get(), i, 1)));
    return best;
  }

 private:
  struct Free {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Result = std::unique_ptr<PGresult, Free>;

  static std::string ArrayOf(const std::vector<PeerTerm>& terms) {
    std::string text = "{";
    for (const PeerTerm& t : terms) {
      if (text.size() > 1) text += ',';
      text += std::to_string(t.term);
    }
    return text + "}";
  }
  bool Do(const char* statement) {
    const Result result(PQexec(connection_.get(), statement));
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return true;
    std::fprintf(stderr, "bench_peers: PostgreSQL: %s: %s\n", statement, PQerrorMessage(connection_.get()));
    return false;
  }

  ChildProcess server_;
  std::unique_ptr<PGconn, Free> connection_;
};

}  // namespace

std::unique_ptr<Peer> MakePostgresPeer() { return std::make_unique<PostgresPeer>(); }

}  // namespace warmline::bench
