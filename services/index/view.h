// One consistent state of a pool's index. A reader takes it under a base::RcuReadGuard and reads without locks; it
// never changes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/name_table.h"
#include "domain/need.h"
#include "domain/pool.h"
#include "domain/revision.h"
#include "index/attribute_table.h"
#include "index/epoch_columns.h"
#include "index/segment.h"
#include "index/statistics_table.h"
#include "network/graph.h"
#include "network/member_table.h"

namespace warmline::index {

// Tables of a pool that only grow; everything in a view names their entries by number.
struct Tables {
  base::NameTable terms;
  AttributeSets sets;
  AttributeTable attributes;
  network::MemberTable members;
  base::NameTable need_ids;
  base::ChunkedArray<base::Versioned<std::shared_ptr<const domain::Need>>> needs;
};

struct SegmentState {
  std::shared_ptr<Segment> segment;
  std::shared_ptr<const EpochColumns> columns;
};

struct View {
  const Tables* tables = nullptr;
  std::uint64_t sequence = 0;  // of the in-memory versions
  std::int64_t revision = 0;   // of the pool's change log
  std::int64_t epoch_hour = 0;
  std::shared_ptr<const domain::Pool> pool;
  std::shared_ptr<const StatisticsTable> statistics;
  std::shared_ptr<const network::Csr> ties;
  std::vector<SegmentState> segments;
};

// A stored need as the view sees it; null when there is none.
[[nodiscard]] std::shared_ptr<const domain::Need> FindNeed(const View& view, std::string_view id);

}  // namespace warmline::index
