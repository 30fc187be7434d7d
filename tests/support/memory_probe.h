// What a server in this process holds, and how fast that grows. Thread-safety: pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace warmline::testing {

// Figures by name, in bytes or in entries. Besides those of the process (`heap`: bytes that are allocated; `mapped`:
// bytes that the allocator took from the system; `resident`), every gauge of /metrics that tells of memory.
using MemoryFigures = std::map<std::string, double>;

// Figures of this process, and of a page of metrics of a server in it.
[[nodiscard]] MemoryFigures ReadMemory(const std::string& metrics_page);

// Figures after so many cycles.
struct MemoryPoint {
  std::int64_t cycles = 0;
  MemoryFigures figures;
};

// By figure, how much a thousand cycles add: the slope of the least-squares line through the points.
[[nodiscard]] MemoryFigures GrowthPerThousand(const std::vector<MemoryPoint>& points);

}  // namespace warmline::testing
