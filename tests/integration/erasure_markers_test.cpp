// The marker test: a member lives with a marker in every text field of every message, is erased, and then no marker is
// left in any place where the service keeps, tells or logs anything. Prints the places and what was found in each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <libpq-fe.h>
#include <signal.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "support/child_process.h"
#include "support/erasure_world.h"
#include "support/introductions_fixture.h"
#include "support/process.h"

namespace warmline::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

// What was searched, and what was found: by place, by what the marker was made for.
class Search {
 public:
  explicit Search(const Markers& markers) : markers_(markers) {}
  void In(const std::string& place, std::string_view bytes) {
    bytes_[place] += bytes.size();
    for (const auto& [what, times] : markers_.FoundIn(bytes)) found_[place][what] += times;
  }
  void InFiles(const std::string& place, const std::string& directory) {
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file()) In(place + ": " + entry.path().filename().string(), TextOf(entry.path().string()));
    }
  }
  [[nodiscard]] int found() const {
    int all = 0;
    for (const auto& [place, whats] : found_) {
      for (const auto& [what, times] : whats) all += times;
    }
    return all;
  }
  [[nodiscard]] int places() const { return static_cast<int>(bytes_.size()); }
  [[nodiscard]] bool FoundAt(const std::string& place) const {
    return std::any_of(found_.begin(), found_.end(),
                       [&](const auto& f) { return f.first.find(place) != f.first.npos; });
  }
  void Print(const std::string& title) const {
    std::cout << title << ": " << places() << " places, " << found() << " found\n";
    for (const auto& [place, size] : bytes_) {
      std::cout << "  " << place << " (" << size << " bytes): ";
      const auto whats = found_.find(place);
      if (whats == found_.end()) std::cout << "0";
      if (whats != found_.end()) {
        for (const auto& [what, times] : whats->second) std::cout << what << " x" << times << "; ";
      }
      std::cout << "\n";
    }
  }

 private:
  const Markers& markers_;
  std::map<std::string, std::size_t> bytes_;
  std::map<std::string, std::map<std::string, int>> found_;
};

// Takes events, or refuses them.
class Receiver {
 public:
  Receiver() {
    server_.Post("/events", [this](const httplib::Request& request, httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      response.status = refuses_ ? 503 : 204;
      bodies_ += request.body + "\n";
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~Receiver() {
    server_.stop();
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/events"; }
  void Refuse(bool refuse) {
    const std::lock_guard lock(mutex_);
    refuses_ = refuse;
  }
  [[nodiscard]] std::string Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(bodies_, "");
  }

 private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  std::mutex mutex_;
  std::string bodies_;
  bool refuses_ = false;
};

template <typename Holds>
bool Eventually(Holds holds) {
  for (int i = 0; i < 1'500; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

class ErasureMarkers : public ::testing::Test {
 protected:
  ErasureMarkers() : directory_(TemporaryDirectory("markers")) {
    std::ofstream(directory_ + "/audit.key") << "a key of more than sixteen bytes, for pseudonyms\n";
    std::ofstream(directory_ + "/webhook.secret") << "a secret of more than sixteen bytes\n";
    fs::create_directories(directory_ + "/data");
  }
  ~ErasureMarkers() override {
    servers_.clear();
    fs::remove_all(directory_);
  }

  [[nodiscard]] std::string Data(std::size_t server = 0) const {
    return directory_ + "/data" + (server == 0 ? "" : std::to_string(server));
  }
  // WARMLINE_MARKER_PROGRAM: another program, to see what an older one leaves behind.
  void Start(const std::vector<std::string>& more = {}) {
    const std::size_t number = servers_.size();
    const int ops = FreePort();
    ops_ports_.push_back(ops);
    std::vector<std::string> options = {"--ops-listen",
                                        "127.0.0.1:" + std::to_string(ops),
                                        "--log-level",
                                        "debug",
                                        "--audit-file",
                                        directory_ + "/audit" + std::to_string(number) + ".log",
                                        "--audit-key-file",
                                        directory_ + "/audit.key",
                                        "--webhook-url",
                                        receiver_.url(),
                                        "--webhook-secret-file",
                                        directory_ + "/webhook.secret",
                                        "--snapshot-interval-ms",
                                        "300",
                                        "--market-interval-ms",
                                        "300"};
    options.insert(options.end(), more.begin(), more.end());
    const char* program = std::getenv("WARMLINE_MARKER_PROGRAM");
    fs::create_directories(Data(number));
    servers_.push_back(
        std::make_unique<ServeProcess>(Data(number), options, program == nullptr ? "warmline" : program));
    ASSERT_TRUE(servers_.back()->listens()) << servers_.back()->log();
  }
  [[nodiscard]] std::string Page(std::size_t server, const std::string& path) const {
    httplib::Client client("127.0.0.1", ops_ports_[server]);
    const auto response = client.Get(path);
    return response ? response->body : "no answer";
  }
  [[nodiscard]] ErasureWorld World(std::size_t server = 0) {
    ServeProcess& process = *servers_[server];
    return ErasureWorld(
        process.Connect(), [&process] { return process.Context(60'000); }, markers_);
  }
  // Every read of the API, metrics, and the logs.
  void SearchCommon(Search& search, ErasureWorld& world) {
    for (const auto& [place, bytes] : world.Answers()) search.In(place, bytes);
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      search.In("/metrics", Page(i, "/metrics"));
      search.In("the server's log", servers_[i]->ReadLog());
      search.In("the audit log", TextOf(directory_ + "/audit" + std::to_string(i) + ".log"));
    }
    search.In("events sent", receiver_.Take());
  }
  // Waits until the erasure says that it is done, and no cache waits to be rewritten.
  void WaitUntilDone(ErasureWorld& world, const std::string& name) {
    EXPECT_TRUE(Eventually([&] { return world.Erasure(name).done(); }));
    EXPECT_TRUE(Eventually([&] {
      for (std::size_t i = 0; i < servers_.size(); ++i) {
        if (Page(i, "/metrics").find("warmline_snapshot_purges_pending 0") == std::string::npos) return false;
      }
      return true;
    }));
  }
  // The member's whole life. Events that tell of its end are refused until they must be forgotten, too.
  void Live(ErasureWorld& world) {
    world.Live();
    world.CountStatistics();
    (void)Eventually([&] { return Page(0, "/metrics").find("warmline_snapshot_purges_pending") != std::string::npos; });
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));  // a snapshot and a count of the market at least
    receiver_.Refuse(true);
    world.ChangeProfile();
    world.CountStatistics();
    world.ChangeProfile();
    world.CountStatistics();
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  }

  const std::string directory_;
  Markers markers_;
  Receiver receiver_;
  std::vector<std::unique_ptr<ServeProcess>> servers_;
  std::vector<int> ops_ports_;
};

TEST_F(ErasureMarkers, EveryTextFieldOfTheApiIsMarkedOrIsNotPersonal) {
  EXPECT_THAT(Markers::FieldsWithoutRule(), IsEmpty())
      << "give each of these fields a rule in tests/support/markers.cpp, and a place in erasure_world.cpp";
}

TEST_F(ErasureMarkers, NothingIsLeftOnTheEmbeddedProfile) {
  Start();
  ErasureWorld world = World();
  Live(world);
  if (HasFailure()) return;  // the rest would only repeat it
  EXPECT_THAT(markers_.FieldsNotFilled(), IsEmpty());
  const auto look = [&](Search& search) {
    search.InFiles("data directory", Data());
    SearchCommon(search, world);
  };
  Search before(markers_);
  look(before);
  before.Print("embedded, before the erasure");
  EXPECT_TRUE(before.FoundAt("warmline.db"));
  EXPECT_TRUE(before.FoundAt(".snapshot") || before.FoundAt("data directory: p"));
  EXPECT_TRUE(before.FoundAt("the API: Export"));
  EXPECT_TRUE(before.FoundAt("the API: SuggestInterests"));
  EXPECT_TRUE(before.FoundAt("events sent"));

  const pb::Erasure erasure = world.Erase();
  (void)receiver_.Take();
  receiver_.Refuse(false);
  {
    Search at_once(markers_);
    for (const auto& [place, bytes] : world.Answers()) at_once.In(place, bytes);
    EXPECT_EQ(at_once.found(), 0);
    at_once.Print("embedded, the API at once");
  }
  WaitUntilDone(world, erasure.name());
  Search after(markers_);
  look(after);
  after.Print("embedded, after the erasure");
  EXPECT_EQ(after.found(), 0);
  servers_[0]->Signal(SIGTERM);
  EXPECT_EQ(servers_[0]->WaitForEnd(), 0);
  Search stopped(markers_);
  stopped.InFiles("data directory", Data());
  stopped.Print("embedded, after the end of the process");
  EXPECT_EQ(stopped.found(), 0);
}

// A row of each table as text, bytes in hexadecimal digits.
std::string AllRows(const std::string& conninfo) {
  std::string all;
  PGconn* connection = PQconnectdb(conninfo.c_str());
  PGresult* tables = PQexec(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
  for (int i = 0; i < PQntuples(tables); ++i) {
    PGresult* rows =
        PQexec(connection, (std::string("SELECT t::text FROM ") + PQgetvalue(tables, i, 0) + " AS t").c_str());
    for (int row = 0; row < PQntuples(rows); ++row) all += PQgetvalue(rows, row, 0);
    PQclear(rows);
  }
  PQclear(tables);
  PQfinish(connection);
  return all;
}

std::string DumpOf(const std::string& conninfo, const std::string& directory) {
  const std::string path = directory + "/dump.sql";
  ChildProcess dump({"/usr/lib/postgresql/15/bin/pg_dump", "-d", conninfo, "-f", path});
  EXPECT_TRUE(dump.Wait());
  return TextOf(path);
}

// A string as it is, or as it was before it was packed.
std::string Unpacked(const std::string& value) {
  if (value.empty() || value[0] != 1) return value;
  const auto size = ZSTD_getFrameContentSize(value.data() + 1, value.size() - 1);
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) return value;
  std::string plain(size, '\0');
  EXPECT_EQ(ZSTD_decompress(plain.data(), plain.size(), value.data() + 1, value.size() - 1), size);
  return plain;
}

void SearchRedis(Search& search) {
  std::istringstream keys(SharedRedis().Do({"KEYS", "*"}));
  for (std::string key; std::getline(keys, key);) {
    search.In("Redis: keys", key);
    search.In("Redis: DUMP of every key", SharedRedis().Do({"DUMP", key}));
    const std::string type = SharedRedis().Do({"TYPE", key});
    if (type == "string") search.In("Redis: strings, unpacked", Unpacked(SharedRedis().Do({"GET", key})));
    if (type == "hash") search.In("Redis: hashes", SharedRedis().Do({"HGETALL", key}));
    if (type == "stream") search.In("Redis: streams", SharedRedis().Do({"XRANGE", key, "-", "+"}));
  }
}

TEST_F(ErasureMarkers, NothingIsLeftOnTheClusterProfile) {
  const std::string database = NewClusterDatabase();
  const std::vector<std::string> options = {"--postgres",        database,         "--redis",
                                            SharedRedis().url(), "--redis-prefix", FreshId()};
  Start(options);
  Start(options);
  if (HasFailure()) return;
  ErasureWorld world = World();
  Live(world);
  if (HasFailure()) return;  // the rest would only repeat it
  const auto look = [&](Search& search) {
    search.In("PostgreSQL: every row", AllRows(database));
    search.In("PostgreSQL: pg_dump", DumpOf(database, directory_));
    SearchRedis(search);
    for (std::size_t i = 0; i < servers_.size(); ++i) search.InFiles("data directory", Data(i));
    SearchCommon(search, world);
  };
  Search before(markers_);
  look(before);
  before.Print("cluster, before the erasure");
  for (const char* place : {"PostgreSQL: every row", "pg_dump", "Redis: strings", "Redis: streams", "Export"})
    EXPECT_TRUE(before.FoundAt(place)) << place;

  const pb::Erasure erasure = world.Erase();
  (void)receiver_.Take();
  receiver_.Refuse(false);
  WaitUntilDone(world, erasure.name());
  Search after(markers_);
  look(after);
  after.Print("cluster, after the erasure");
  EXPECT_EQ(after.found(), 0);

  // What docs/operations.md says of PostgreSQL's own files: after VACUUM FULL and a checkpoint, tables and indexes hold
  // nothing; its write-ahead log does until it is recycled.
  ASSERT_TRUE(SharedPostgres().RunAt(database, "VACUUM FULL"));
  ASSERT_TRUE(SharedPostgres().RunAt(database, "CHECKPOINT"));
  Search files(markers_);
  files.InFiles("PostgreSQL: files of tables and indexes", SharedPostgres().directory() + "/data/base");
  files.Print("cluster, after VACUUM FULL");
  EXPECT_EQ(files.found(), 0);
}

}  // namespace
}  // namespace warmline::testing
