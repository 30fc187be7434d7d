#include "cli/simulate_market.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/output_file.h"
#include "cli/program.h"
#include "storage/sqlite/store.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::cli {
namespace {

using nlohmann::ordered_json;
using simulation::MarketFigures;
using simulation::MarketReport;

// A folder that goes with everything in it.
class ScratchFolder {
 public:
  ScratchFolder() : path_((std::filesystem::temp_directory_path() / "warmline-market-XXXXXX").string()) {
    made_ = mkdtemp(path_.data()) != nullptr;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (made_) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] bool made() const { return made_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool made_ = false;
};

double Share(std::int64_t part, std::int64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

void AddFigures(const MarketFigures& f, ordered_json& line) {
  line["needs"] = f.needs;
  line["answered_in_time"] = Share(f.answered_in_time, f.needs);
  line["helped"] = Share(f.helped, f.needs);
  line["asks"] = f.asks;
  line["asks_a_need"] = Share(f.asks, f.needs);
  line["asks_unanswered"] = Share(f.asks_unanswered, f.asks);
  line["asks_to_able"] = Share(f.asks_to_able, f.asks);
  line["givers_answered_in_time"] = Share(f.givers_answered_in_time, f.needs_of_givers);
}

ordered_json LineOf(const MarketReport& report) {
  return {{"workload", "market"},
          {"members", report.options.members},
          {"days", report.options.days},
          {"seed", report.options.seed},
          {"without", simulation::NameOf(report.options.without)}};
}

void Write(const MarketReport& report, std::ostream& out) {
  for (std::size_t month = 0; month < report.months.size(); ++month) {
    ordered_json line = LineOf(report);
    line["month"] = month + 1;
    AddFigures(report.months[month], line);
    out << line.dump() << "\n";
  }
  ordered_json line = LineOf(report);
  AddFigures(report.year, line);
  line["median_hours_to_answer"] = report.median_hours_to_answer;
  line["load_gini"] = report.load_gini;
  line["top_tenth_share"] = report.top_tenth_share;
  line["newcomers"] = report.newcomers;
  line["newcomers_reached"] = Share(report.newcomers_reached, report.newcomers);
  out << line.dump() << "\n" << std::flush;
}

absl::StatusOr<MarketReport> Play(const simulation::MarketOptions& options) {
  const ScratchFolder folder;
  if (!folder.made())
    return absl::UnavailableError(
        "no folder can be made for the simulated store: set TMPDIR to a folder that can be written");
  // Nothing of it is kept, so nothing waits for the disk.
  auto store = storage::sqlite::Store::Open({.path = folder.path() + "/market.db", .synchronous = "OFF"});
  if (!store.ok()) return store.status();
  telemetry::PrometheusMetrics metrics("simulate");
  const bool shows_progress = isatty(STDERR_FILENO) != 0;
  auto report = simulation::SimulateMarket(**store, metrics, options, [&](int day) {
    if (shows_progress) {
      std::cerr << "\rwithout " << simulation::NameOf(options.without) << ": day " << day + 1 << " of " << options.days
                << "   " << std::flush;
    }
    return true;
  });
  if (shows_progress) std::cerr << "\n";
  return report;
}

}  // namespace

std::vector<std::string> WithoutNames() {
  std::vector<std::string> names;
  names.reserve(simulation::kWithouts);
  for (int i = 0; i < simulation::kWithouts; ++i)
    names.emplace_back(simulation::NameOf(static_cast<simulation::Without>(i)));
  return names;
}

int SimulateMarkets(const simulation::MarketOptions& options, const std::vector<std::string>& without,
                    const std::string& path) {
  OutputFile file("simulate", path);
  if (!file.Open()) return kFailed;
  std::ostream& out = file.stream();
  const std::vector<std::string> names = WithoutNames();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::find(without.begin(), without.end(), names[i]) == without.end()) continue;
    simulation::MarketOptions played = options;
    played.without = static_cast<simulation::Without>(i);
    auto report = Play(played);
    if (!report.ok()) {
      std::cerr << "warmline simulate: " << report.status().message() << "\n";
      return kFailed;
    }
    Write(*report, out);
    if (!file.Finish()) return kFailed;
  }
  return kOk;
}

}  // namespace warmline::cli
