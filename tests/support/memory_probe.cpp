#include "support/memory_probe.h"

#include <malloc.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace warmline::testing {
namespace {

// Gauges that tell of memory, or of entries that take some.
constexpr const char* kGauges[] = {"warmline_index_bytes",
                                   "warmline_index_names",
                                   "warmline_index_free_numbers",
                                   "warmline_index_dead_documents",
                                   "warmline_index_segments",
                                   "process_threads",
                                   "process_open_fds"};

}  // namespace

MemoryFigures ReadMemory(const std::string& metrics_page) {
  MemoryFigures figures;
  const auto info = mallinfo2();
  figures["heap"] = static_cast<double>(info.uordblks + info.hblkhd);
  figures["mapped"] = static_cast<double>(info.arena + info.hblkhd);
  figures["sqlite"] = static_cast<double>(sqlite3_memory_used());
  figures["heap_without_sqlite"] = figures["heap"] - figures["sqlite"];
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  figures["resident"] = static_cast<double>(resident * sysconf(_SC_PAGESIZE));
  std::istringstream lines(metrics_page);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.find_first_of(" {");
    const std::size_t space = line.rfind(' ');
    if (space == std::string::npos ||
        std::find(std::begin(kGauges), std::end(kGauges), line.substr(0, end)) == std::end(kGauges))
      continue;
    figures[line.substr(0, space)] = std::strtod(line.c_str() + space + 1, nullptr);
  }
  return figures;
}

MemoryFigures GrowthPerThousand(const std::vector<MemoryPoint>& points) {
  MemoryFigures growth;
  if (points.size() < 2) return growth;
  const auto n = static_cast<double>(points.size());
  double mean_x = 0;
  for (const MemoryPoint& p : points) mean_x += static_cast<double>(p.cycles) / 1000 / n;
  for (const auto& [name, last] : points.back().figures) {
    double mean_y = 0;
    double above = 0;
    double below = 0;
    const auto value = [&name = name](const MemoryPoint& p) {
      const auto found = p.figures.find(name);
      return found == p.figures.end() ? 0 : found->second;
    };
    for (const MemoryPoint& p : points) mean_y += value(p) / n;
    for (const MemoryPoint& p : points) {
      const double x = static_cast<double>(p.cycles) / 1000 - mean_x;
      above += x * (value(p) - mean_y);
      below += x * x;
    }
    growth[name] = below == 0 ? 0 : above / below;
  }
  return growth;
}

}  // namespace warmline::testing
