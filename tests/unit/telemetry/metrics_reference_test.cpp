// docs/metrics.md is made of what the program exposes: every metric with its labels, kind and help, after each thing
// that can happen has happened once. `scripts/generate-docs` runs this with WARMLINE_WRITE_DOCS=1, which writes it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "telemetry/prometheus_metrics.h"

namespace warmline::telemetry {
namespace {

application::MarketHealth Health() {
  application::MarketHealth health;
  health.waiting = {absl::Hours(1), absl::Hours(2), absl::Hours(3)};
  health.first_answer = health.waiting;
  health.interests.push_back({"skill:sql", 5, 4, 3});
  return health;
}

void LetEverythingHappen(PrometheusMetrics& metrics) {
  metrics.CallEnded("warmline.v1.MatchService/Match", "OK", absl::Milliseconds(1));
  metrics.WorkRefused("queue_wait", "matches");
  metrics.QueueSeen("matching", "matches", 0, absl::ZeroDuration());
  metrics.ConnectionsHeld("api", 1, 1);
  metrics.ConnectionRefused("api", "total");
  metrics.CallFailed("warmline.v1.MatchService/Match", "POOL_NOT_FOUND");
  metrics.CacheReachable("cache", true);
  metrics.SnapshotDamaged("redis", "block");
  metrics.SnapshotLoaded("redis", true, absl::Milliseconds(1));
  metrics.SnapshotWritten("redis", true, absl::Milliseconds(1));
  metrics.MarketMeasured("city", Health(), absl::UnixEpoch());
}

// By name: kind, help, and the labels of its series.
struct Metric {
  std::string kind;
  std::string help;
  std::set<std::string> labels;
};

std::map<std::string, Metric> Parse(const std::string& text) {
  std::map<std::string, Metric> metrics;
  std::istringstream lines(text);
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash;
    std::string what;
    if (line.starts_with("# ")) {
      words >> hash >> what >> current;
      std::string rest;
      std::getline(words, rest);
      (what == "HELP" ? metrics[current].help : metrics[current].kind) = rest.substr(rest.find_first_not_of(' '));
      continue;
    }
    for (std::size_t at = 0; (at = line.find("=\"", at)) != std::string::npos; ++at) {
      const std::size_t begin = line.find_last_of("{,", at) + 1;
      const std::string label = line.substr(begin, at - begin);
      if (label != "le") metrics[current].labels.insert(label);
    }
  }
  return metrics;
}

std::string Table(const std::string& text) {
  std::string table = "| metric | labels | kind | tells |\n|---|---|---|---|\n";
  for (const auto& [name, metric] : Parse(text)) {
    std::string labels;
    for (const std::string& label : metric.labels) labels += (labels.empty() ? "" : ", ") + label;
    table += "| `" + name + "` | " + labels + " | " + metric.kind + " | " + metric.help + " |\n";
  }
  return table;
}

TEST(MetricsReference, IsWhatTheProgramExposes) {
  PrometheusMetrics metrics("0.0.0");
  LetEverythingHappen(metrics);
  const std::string table = Table(metrics.Text());
  const std::string path = std::string(std::getenv("WARMLINE_SOURCE")) + "/docs/metrics.md";
  std::stringstream before;
  before << std::ifstream(path).rdbuf();
  const std::string text = before.str();
  const std::string begin = "<!-- generated: scripts/generate-docs -->\n";
  const std::size_t at = text.find(begin);
  ASSERT_NE(at, std::string::npos) << path << " has no line " << begin;
  const std::string wanted = text.substr(0, at + begin.size()) + table;
  if (std::getenv("WARMLINE_WRITE_DOCS") != nullptr) {
    std::ofstream(path) << wanted;
    return;
  }
  EXPECT_EQ(text, wanted) << "docs/metrics.md is out of date: run scripts/generate-docs";
}

// What a pool no longer has to tell, and pools that are gone, leave the page.
TEST(MarketMetrics, ForgetWhatIsNoLongerSo) {
  PrometheusMetrics metrics("0.0.0");
  metrics.MarketMeasured("city", Health(), absl::UnixEpoch());
  metrics.MarketMeasured("town", Health(), absl::UnixEpoch());
  EXPECT_NE(metrics.Text().find("interest=\"skill:sql\",pool=\"city\""), std::string::npos);
  application::MarketHealth quiet = Health();
  quiet.interests.clear();
  quiet.waiting.reset();
  metrics.MarketMeasured("city", quiet, absl::UnixEpoch());
  const std::string text = metrics.Text();
  EXPECT_EQ(text.find("interest=\"skill:sql\",pool=\"city\""), std::string::npos);
  EXPECT_EQ(text.find("warmline_market_waiting_seconds{pool=\"city\""), std::string::npos);
  EXPECT_NE(text.find("warmline_market_first_answer_seconds{pool=\"city\""), std::string::npos);
  EXPECT_NE(text.find("interest=\"skill:sql\",pool=\"town\""), std::string::npos);
  metrics.MarketsMeasured({"city"}, 3);
  EXPECT_EQ(metrics.Text().find("pool=\"town\""), std::string::npos);
  EXPECT_NE(metrics.Text().find("warmline_market_pools_left_out 3"), std::string::npos);
}

}  // namespace
}  // namespace warmline::telemetry
