#include "server/deployment_checks.h"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <functional>

#include "application/clock.h"
#include "base/strings.h"
#include "cache/redis/client.h"
#include "domain/error.h"
#include "server/redis_config.h"
#include "storage/postgres/connection.h"
#include "storage/postgres/schema.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::server {
namespace {

constexpr int kMinPostgresVersion = 130'000;
constexpr int kMinRedisMajor = 6;
constexpr absl::Duration kMaxSkew = absl::Seconds(1);
constexpr int kProbes = 10;

std::string Short(absl::Duration d) { return absl::FormatDuration(absl::Trunc(d, absl::Microseconds(1))); }

DeploymentCheck Skew(const char* name, absl::Time theirs, absl::Time asked, absl::Time answered) {
  const absl::Duration skew = theirs - (asked + (answered - asked) / 2);
  const bool good = skew < kMaxSkew && skew > -kMaxSkew;
  return {name, good,
          absl::StrCat("differs from this machine's by ", Short(skew),
                       good ? "" : ": set both by NTP, since epochs and expiries go by the clock")};
}

// The best of some tries.
DeploymentCheck Latency(const char* name, const std::function<bool()>& probe) {
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < kProbes; ++i) {
    const absl::Time began = absl::Now();
    if (!probe()) return {name, false, "a probe failed: see the checks above"};
    best = std::min(best, absl::Now() - began);
  }
  return {name, true, absl::StrCat("a round trip takes ", Short(best), " at best")};
}

class PostgresChecks {
 public:
  PostgresChecks(storage::postgres::Connection& connection, std::vector<DeploymentCheck>& checks)
      : connection_(connection), checks_(checks) {}

  void Run() {
    int version = 0;
    const std::string number = Ask("SELECT current_setting('server_version_num')");
    const bool known = absl::SimpleAtoi(number, &version) && version >= kMinPostgresVersion;
    checks_.push_back({"postgres version", known,
                       absl::StrCat("is ", Ask("SELECT current_setting('server_version')"),
                                    known ? "" : ": Warmline needs 13 or newer")});
    auto schema = storage::postgres::ReadSchema(connection_);
    if (!schema.ok()) {
      checks_.push_back({"postgres schema", false, std::string(schema.status().message())});
    } else {
      const bool lives = schema->version <= storage::postgres::kSchemaVersion ||
                         schema->compatible_from <= storage::postgres::kSchemaVersion;
      checks_.push_back(
          {"postgres schema", lives,
           absl::StrCat("is version ", schema->version, ", this program's is ", storage::postgres::kSchemaVersion,
                        schema->version == 0 ? "; the first replica makes it" : "",
                        lives ? "" : ": run a newer Warmline")});
    }
    const bool may = Ask("SELECT has_schema_privilege(current_schema(), 'CREATE')::text") == "true";
    checks_.push_back({"postgres permissions", may,
                       absl::StrCat("user ", Ask("SELECT current_user::text"), may ? " may" : " may not",
                                    " make tables in schema ", Ask("SELECT current_schema()::text"),
                                    may ? "" : ": GRANT CREATE on it, or migrate as its owner")});
    for (const char* setting : {"fsync", "synchronous_commit", "full_page_writes"}) {
      const std::string value = Ask("SELECT current_setting($1)", {std::string(setting)});
      const bool safe = value != "off" && value != "local";
      checks_.push_back({absl::StrCat("postgres ", setting), safe,
                         absl::StrCat("is ", value, safe ? "" : ": turn it on, or acknowledged writes may be lost")});
    }
    checks_.push_back(Latency("postgres latency", [this] { return Ask("SELECT '1'::text") == "1"; }));
    const absl::Time asked = absl::Now();
    const std::string now = Ask("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text");
    const absl::Time answered = absl::Now();
    std::int64_t now_ms = 0;
    if (absl::SimpleAtoi(now, &now_ms))
      checks_.push_back(Skew("postgres clock", absl::FromUnixMillis(now_ms), asked, answered));
  }

 private:
  std::string Ask(const char* sql, const std::vector<storage::postgres::Argument>& arguments = {}) {
    auto rows = connection_.Query(sql, arguments);
    return rows.ok() && rows->rows() == 1 ? rows->Text(0, 0) : "";
  }

  storage::postgres::Connection& connection_;
  std::vector<DeploymentCheck>& checks_;
};

// "name:value" of INFO.
std::string Field(std::string_view info, const std::string& name) {
  for (const auto line : absl::StrSplit(base::AbslView(info), absl::ByAnyChar("\r\n"), absl::SkipEmpty())) {
    if (absl::StartsWith(line, name + ":")) return std::string(line.substr(name.size() + 1));
  }
  return "";
}

class RedisChecks {
 public:
  RedisChecks(cache::redis::Client& client, std::vector<DeploymentCheck>& checks) : client_(client), checks_(checks) {}

  void Run() {
    const std::string info = Info("server");
    const std::string version = Field(info, "redis_version");
    int major = 0;
    const bool known = absl::SimpleAtoi(version.substr(0, version.find('.')), &major) && major >= kMinRedisMajor;
    checks_.push_back({"redis version", known,
                       absl::StrCat("is ", version, known ? "" : ": Warmline needs 6 or newer (streams, ACL users)")});
    const std::string memory = Info("memory");
    const std::string policy = Field(memory, "maxmemory_policy");
    const bool spares = policy == "noeviction" || absl::StartsWith(policy, "volatile-");
    checks_.push_back(
        {"redis memory policy", spares,
         absl::StrCat("is ", policy, ", ", Field(memory, "used_memory_human"), " of ",
                      Field(memory, "maxmemory") == "0" ? "no limit" : Field(memory, "maxmemory_human"), " used",
                      spares ? ""
                             : ": choose volatile-lru or noeviction, or fencing counters and streams may be evicted "
                               "(that costs time, never an answer)")});
    CheckPermissions();
    checks_.push_back(Latency("redis latency", [this] {
      auto reply = client_.Ask({"PING"});
      return reply.ok() && reply->text() == "PONG";
    }));
    const absl::Time asked = absl::Now();
    auto time = client_.Ask({"TIME"});
    const absl::Time answered = absl::Now();
    std::int64_t seconds = 0;
    std::int64_t micros = 0;
    if (time.ok() && time->size() == 2 && absl::SimpleAtoi(base::AbslView((*time)[0].text()), &seconds) &&
        absl::SimpleAtoi(base::AbslView((*time)[1].text()), &micros))
      checks_.push_back(Skew("redis clock", absl::FromUnixMicros(seconds * 1'000'000 + micros), asked, answered));
  }

 private:
  std::string Info(const char* section) {
    auto reply = client_.Ask({"INFO", section});
    return reply.ok() ? std::string(reply->text()) : "";
  }
  // Every kind of command that replicas use, on a key of their own prefix.
  void CheckPermissions() {
    const std::string key = client_.Key("{doctor}:probe");
    const std::string stream = client_.Key("{doctor}:stream");
    const std::vector<cache::redis::Arguments> commands = {{"SET", key, "x", "PX", "10000"},
                                                           {"GET", key},
                                                           {"PEXPIRE", key, "10000"},
                                                           {"EVAL", "return redis.call('GET', KEYS[1])", "1", key},
                                                           {"UNLINK", key},
                                                           {"HSET", key, "f", "v"},
                                                           {"HDEL", key, "g"},
                                                           {"HGETALL", key},
                                                           {"DEL", key},
                                                           {"XADD", stream, "MAXLEN", "~", "10", "*", "f", "v"},
                                                           {"XREAD", "COUNT", "1", "STREAMS", stream, "0-0"},
                                                           {"XREVRANGE", stream, "+", "-", "COUNT", "1"},
                                                           {"XTRIM", stream, "MAXLEN", "0"},
                                                           {"DEL", stream}};
    std::string refused;
    for (const auto& command : commands) {
      auto reply = client_.Do(command);
      if (!reply.ok()) {
        absl::StrAppend(&refused, command[0], ": ", std::string(reply.status().message()), ". ");
      } else if (reply->IsError()) {
        absl::StrAppend(&refused, command[0], ": ", std::string(reply->text()), ". ");
      }
    }
    checks_.push_back(
        {"redis permissions", refused.empty(),
         refused.empty() ? absl::StrCat("keys under ", client_.config().prefix, ": may be read and written")
                         : absl::StrCat(refused, "Give the user ~", client_.config().prefix, ":* and these commands")});
  }

  cache::redis::Client& client_;
  std::vector<DeploymentCheck>& checks_;
};

}  // namespace

std::vector<DeploymentCheck> CheckDeployment(const Config& config) {
  std::vector<DeploymentCheck> checks;
  if (!config.postgres.empty()) {
    auto connection = storage::postgres::Connection::Open({.conninfo = config.postgres});
    checks.push_back(
        {"postgres", connection.ok(), connection.ok() ? "answers" : std::string(connection.status().message())});
    if (connection.ok()) PostgresChecks(**connection, checks).Run();
  }
  if (!config.redis.empty()) {
    auto redis = RedisConfig(config);
    if (!redis.ok()) {
      const auto violations = domain::ViolationsOf(redis.status());
      checks.push_back({"redis", false,
                        violations.empty() ? std::string(redis.status().message())
                                           : absl::StrCat(violations[0].field, " ", violations[0].description)});
      return checks;
    }
    const application::SystemClock clock;
    telemetry::PrometheusMetrics metrics("doctor");
    cache::redis::Client client(*redis, "doctor", clock, metrics);
    const auto ping = client.Ask({"PING"});
    checks.push_back({"redis", ping.ok(), ping.ok() ? "answers" : std::string(ping.status().message())});
    if (ping.ok()) RedisChecks(client, checks).Run();
  }
  return checks;
}

}  // namespace warmline::server
