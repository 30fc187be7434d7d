#include "application/index_builder.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace warmline::application {
namespace {

// Records read from the store at a time.
constexpr int kLoadPage = 10'000;

}  // namespace

absl::StatusOr<std::unique_ptr<index::PoolIndex>> BuildIndex(RecordStore& store, const std::string& id,
                                                             std::int64_t epoch_hour) {
  auto opened = store.Read();  // one consistent state
  if (!opened.ok()) return opened.status();
  RecordReader& reader = **opened;
  auto record = reader.GetPool(id);
  if (!record.ok()) return record.status();
  if (!record->has_value()) return nullptr;
  auto index = std::make_unique<index::PoolIndex>(**record, epoch_hour);
  index->LeaveLargeMerges();
  index::PoolIndex::Loader loader(*index);
  // Adds every page that `list(after)` gives; `next(last)` is where the following one starts.
  const auto add_all = [&](auto after, auto list, auto next) -> absl::Status {
    while (true) {
      auto page = list(after);
      if (!page.ok()) return page.status();
      for (const auto& record : *page) loader.Add(record);
      if (page->size() < static_cast<std::size_t>(kLoadPage)) return absl::OkStatus();
      after = next(page->back());
    }
  };
  using Pair = std::pair<std::string, std::string>;
  auto status = add_all(
      std::string(), [&](const auto& after) { return reader.ListMembers(id, after, kLoadPage); },
      [](const auto& m) { return m.id; });
  if (status.ok()) {
    status = add_all(
        Pair(), [&](const auto& after) { return reader.ListConnections(id, after, kLoadPage); },
        [](const auto& c) { return Pair(c.a, c.b); });
  }
  if (status.ok()) {
    status = add_all(
        Pair(), [&](const auto& after) { return reader.ListBlocks(id, after, kLoadPage); },
        [](const auto& b) { return Pair(b.blocker, b.blocked); });
  }
  if (status.ok()) {
    status = add_all(
        std::string(), [&](const auto& after) { return reader.ListNeeds(id, "", after, kLoadPage); },
        [](const auto& n) { return n.id; });
  }
  if (status.ok()) {
    status = add_all(
        std::string(),
        [&](const auto& after) {
          return reader.ListIntroductions(id, {.bars_only = true, .after = after, .limit = kLoadPage});
        },
        [](const auto& i) { return i.id; });
  }
  if (!status.ok()) return status;
  auto statistics = reader.GetStatistics(id);
  if (!statistics.ok()) return statistics.status();
  if (statistics->has_value()) loader.Set(**statistics);
  auto head = reader.HeadRevision(id);
  if (!head.ok()) return head.status();
  loader.Finish(*head);
  return index;
}

absl::StatusOr<std::vector<domain::Change>> ReadLog(RecordStore& store, const std::string& pool, std::int64_t after) {
  auto reader = store.Read();
  if (!reader.ok()) return reader.status();
  auto changes = (*reader)->ListChanges(pool, after, kLogPage);
  if (!changes.ok()) return changes.status();
  if (auto status = FillStatistics(**reader, pool, *changes); !status.ok()) return status;
  return changes;
}

absl::Status FillStatistics(RecordReader& reader, const std::string& pool, std::vector<domain::Change>& changes) {
  for (domain::Change& change : changes) {
    auto* statistics = std::get_if<domain::Statistics>(&change.body);
    if (statistics == nullptr || !statistics->interests.empty() || statistics->helpers > 0) continue;
    auto whole = reader.GetStatisticsOf(pool, statistics->generation);
    if (!whole.ok()) return whole.status();
    if (whole->has_value()) {
      *statistics = **std::move(whole);
      continue;
    }
    // An erasure takes older generations away, and the row of a newer one follows: until then the pool is matched by
    // the one that it has.
    auto newest = reader.NewestGeneration(pool);
    if (!newest.ok()) return newest.status();
    if (*newest <= statistics->generation) {
      return absl::FailedPreconditionError(
          absl::StrCat("statistics generation ", statistics->generation, " of pools/", pool, " is kept no longer"));
    }
    change.body = std::monostate();
  }
  return absl::OkStatus();
}

}  // namespace warmline::application
