// One consistent state of a pool's index. A reader takes it under a base::RcuReadGuard and reads without locks; it
// never changes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/name_table.h"
#include "base/sip_hash.h"
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

// Tables of a pool; everything in a view names their entries by number. An entry stays as long as a view that a reader
// may hold names it. Members and needs go when they are erased; a DictionarySweep finds the others that nothing names
// any longer.
struct Tables {
  base::NameTable terms;
  AttributeSets sets;
  AttributeTable attributes;
  network::MemberTable members;
  base::NameTable need_ids;
  base::ChunkedArray<base::Versioned<std::shared_ptr<const domain::Need>>> needs;
  // Of the bonuses of exploration; set before the first view is read.
  base::SipKey exploration_key;
  // How many hold numbers of terms, sets and attributes outside of a guard (DictionaryPin): none of these is freed
  // meanwhile.
  mutable std::atomic<int> pins{0};
};

// While one lives, numbers of terms, sets and attributes stay what they are. Thread-safety: made by the index's writer,
// given up by any thread.
class DictionaryPin {
 public:
  explicit DictionaryPin(const Tables& tables) : tables_(tables) { tables_.pins.fetch_add(1); }
  ~DictionaryPin() { tables_.pins.fetch_sub(1); }
  DictionaryPin(const DictionaryPin&) = delete;
  DictionaryPin& operator=(const DictionaryPin&) = delete;

 private:
  const Tables& tables_;
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
