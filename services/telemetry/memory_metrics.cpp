#include "telemetry/memory_metrics.h"

#include <malloc.h>

namespace warmline::telemetry {
namespace {

prometheus::Gauge& Gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

MemoryMetrics::MemoryMetrics(prometheus::Registry& registry)
    : heap_used_(Gauge(registry, "warmline_heap_used_bytes", "Bytes of the heap that the process has in use.")),
      heap_free_(Gauge(registry, "warmline_heap_free_bytes",
                       "Bytes of the heap that are free, and that the allocator keeps for later.")),
      store_cache_(Gauge(registry, "warmline_store_cache_bytes",
                         "Memory of the embedded database in this process, its page cache for the most part; 0 in the "
                         "cluster profile.")) {
  auto& used = prometheus::BuildGauge()
                   .Name("warmline_index_names")
                   .Help("Names that the indexes of all pools hold, each with a number, by table.")
                   .Register(registry);
  auto& free = prometheus::BuildGauge()
                   .Name("warmline_index_free_numbers")
                   .Help("Numbers of names that are gone, which new names get, by table.")
                   .Register(registry);
  const auto names = [&](const char* table) {
    return Names{&used.Add({{"table", table}}), &free.Add({{"table", table}})};
  };
  members_ = names("members");
  needs_ = names("needs");
  interests_ = names("interests");
  sets_ = names("attribute_sets");
  combinations_ = names("attribute_combinations");
}

void MemoryMetrics::Names::Set(const application::NameTotals& totals) const {
  used->Set(static_cast<double>(totals.used));
  free->Set(static_cast<double>(totals.free));
}

void MemoryMetrics::Set(const application::PoolTotals& totals) const {
  members_.Set(totals.member_names);
  needs_.Set(totals.need_names);
  interests_.Set(totals.interest_names);
  sets_.Set(totals.set_names);
  combinations_.Set(totals.combination_names);
  store_cache_.Set(static_cast<double>(totals.store_cache_bytes));
}

void MemoryMetrics::Refresh() const {
  const auto info = mallinfo2();
  heap_used_.Set(static_cast<double>(info.uordblks + info.hblkhd));
  heap_free_.Set(static_cast<double>(info.fordblks));
}

}  // namespace warmline::telemetry
