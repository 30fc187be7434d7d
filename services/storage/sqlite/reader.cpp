#include "storage/sqlite/reader.h"

#include <algorithm>
#include <array>

#include "codec/records.h"
#include "storage/introduction_columns.h"

namespace warmline::storage::sqlite {
namespace {

using application::ErasureRecord;

// Every row, through `decode(rows) -> StatusOr<T>`.
template <typename T, typename DecodeRow>
absl::StatusOr<std::vector<T>> All(absl::StatusOr<Rows> rows, DecodeRow decode) {
  if (!rows.ok()) return rows.status();
  std::vector<T> result;
  while (true) {
    auto more = rows->Next();
    if (!more.ok()) return more.status();
    if (!*more) return result;
    absl::StatusOr<T> value = decode(*rows);
    if (!value.ok()) return value.status();
    result.push_back(*std::move(value));
  }
}

template <typename T, typename DecodeRow>
absl::StatusOr<std::optional<T>> One(absl::StatusOr<Rows> rows, DecodeRow decode) {
  auto all = All<T>(std::move(rows), decode);
  if (!all.ok()) return all.status();
  if (all->empty()) return std::optional<T>();
  return std::optional<T>(std::move(all->front()));
}

absl::StatusOr<std::int64_t> Number(absl::StatusOr<Rows> rows) {
  auto value =
      One<std::int64_t>(std::move(rows), [](const Rows& r) -> absl::StatusOr<std::int64_t> { return r.Integer(0); });
  if (!value.ok()) return value.status();
  return value->value_or(0);
}

auto PoolRow() {
  return [](const Rows& r) { return codec::DecodePool(r.Text(0)); };
}
auto MemberRow(const std::string& pool) {
  return [&pool](const Rows& r) { return codec::DecodeMember(pool, r.Text(0)); };
}
auto ConnectionRow(const std::string& pool) {
  return [&pool](const Rows& r) { return codec::DecodeConnection(pool, r.Text(0)); };
}
auto NeedRow(const std::string& pool) {
  return [&pool](const Rows& r) { return codec::DecodeNeed(pool, r.Text(0)); };
}
auto IntroductionRow(const std::string& pool) {
  return [&pool](const Rows& r) { return codec::DecodeIntroduction(pool, r.Text(0)); };
}
absl::StatusOr<domain::Block> BlockRow(const Rows& r) { return domain::Block{r.Text(0), r.Text(1)}; }

}  // namespace

template <typename Base>
absl::StatusOr<std::optional<domain::Pool>> Reader<Base>::GetPool(const std::string& pool) {
  return One<domain::Pool>(database_.Query("SELECT payload FROM pool WHERE id = ?", pool), PoolRow());
}

template <typename Base>
absl::StatusOr<std::vector<domain::Pool>> Reader<Base>::ListPools(const std::string& after, int limit) {
  return All<domain::Pool>(
      database_.Query("SELECT payload FROM pool WHERE id > ? ORDER BY id LIMIT ?", after, std::int64_t{limit}),
      PoolRow());
}

template <typename Base>
absl::StatusOr<std::optional<domain::Member>> Reader<Base>::GetMember(const std::string& pool, const std::string& id) {
  return One<domain::Member>(database_.Query("SELECT payload FROM member WHERE pool = ? AND id = ?", pool, id),
                             MemberRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Member>> Reader<Base>::ListMembers(const std::string& pool, const std::string& after,
                                                                      int limit) {
  return All<domain::Member>(database_.Query("SELECT payload FROM member WHERE pool = ? AND id > ? ORDER BY id LIMIT ?",
                                             pool, after, std::int64_t{limit}),
                             MemberRow(pool));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Connection>> Reader<Base>::GetConnection(const std::string& pool,
                                                                              const std::string& a,
                                                                              const std::string& b) {
  return One<domain::Connection>(
      database_.Query("SELECT payload FROM connection WHERE pool = ? AND a = ? AND b = ?", pool, a, b),
      ConnectionRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Connection>> Reader<Base>::ListConnections(
    const std::string& pool, const std::pair<std::string, std::string>& after, int limit) {
  return All<domain::Connection>(
      database_.Query("SELECT payload FROM connection WHERE pool = ? AND (a, b) > (?, ?) ORDER BY a, b LIMIT ?", pool,
                      after.first, after.second, std::int64_t{limit}),
      ConnectionRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Connection>> Reader<Base>::ListConnectionsOf(const std::string& pool,
                                                                                const std::string& member,
                                                                                const std::string& after, int limit) {
  // Both sides are in order already; a row is in one of the two only.
  auto as_a = All<domain::Connection>(
      database_.Query("SELECT payload FROM connection WHERE pool = ? AND a = ? AND b > ? ORDER BY b LIMIT ?", pool,
                      member, after, std::int64_t{limit}),
      ConnectionRow(pool));
  if (!as_a.ok()) return as_a.status();
  auto as_b = All<domain::Connection>(
      database_.Query("SELECT payload FROM connection WHERE pool = ? AND b = ? AND a > ? ORDER BY a LIMIT ?", pool,
                      member, after, std::int64_t{limit}),
      ConnectionRow(pool));
  if (!as_b.ok()) return as_b.status();
  std::vector<domain::Connection> result = *std::move(as_b);
  result.insert(result.end(), as_a->begin(), as_a->end());
  const auto other = [&](const domain::Connection& c) -> const std::string& { return c.a == member ? c.b : c.a; };
  std::sort(result.begin(), result.end(), [&](const auto& x, const auto& y) { return other(x) < other(y); });
  if (result.size() > static_cast<std::size_t>(limit)) result.resize(static_cast<std::size_t>(limit));
  return result;
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::CountConnectionsOf(const std::string& pool, const std::string& member) {
  return Number(
      database_.Query("SELECT (SELECT count(*) FROM connection WHERE pool = ? AND a = ?) + (SELECT count(*) FROM "
                      "connection WHERE pool = ? AND b = ?)",
                      pool, member, pool, member));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Block>> Reader<Base>::GetBlock(const std::string& pool, const std::string& blocker,
                                                                    const std::string& blocked) {
  return One<domain::Block>(
      database_.Query("SELECT blocker, blocked FROM block WHERE pool = ? AND blocker = ? AND blocked = ?", pool,
                      blocker, blocked),
      BlockRow);
}

template <typename Base>
absl::StatusOr<std::vector<domain::Block>> Reader<Base>::ListBlocks(const std::string& pool,
                                                                    const std::pair<std::string, std::string>& after,
                                                                    int limit) {
  return All<domain::Block>(database_.Query("SELECT blocker, blocked FROM block WHERE pool = ? AND (blocker, blocked) "
                                            "> (?, ?) ORDER BY blocker, blocked LIMIT ?",
                                            pool, after.first, after.second, std::int64_t{limit}),
                            BlockRow);
}

template <typename Base>
absl::StatusOr<std::vector<domain::Block>> Reader<Base>::ListBlocksOf(const std::string& pool,
                                                                      const std::string& blocker,
                                                                      const std::string& after, int limit) {
  return All<domain::Block>(
      database_.Query(
          "SELECT blocker, blocked FROM block WHERE pool = ? AND blocker = ? AND blocked > ? ORDER BY blocked LIMIT ?",
          pool, blocker, after, std::int64_t{limit}),
      BlockRow);
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::CountBlocksOf(const std::string& pool, const std::string& blocker) {
  return Number(database_.Query("SELECT count(*) FROM block WHERE pool = ? AND blocker = ?", pool, blocker));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Need>> Reader<Base>::GetNeed(const std::string& pool, const std::string& id) {
  return One<domain::Need>(database_.Query("SELECT payload FROM need WHERE pool = ? AND id = ?", pool, id),
                           NeedRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Need>> Reader<Base>::ListNeeds(const std::string& pool, const std::string& seeker,
                                                                  const std::string& after, int limit) {
  if (seeker.empty()) {
    return All<domain::Need>(database_.Query("SELECT payload FROM need WHERE pool = ? AND id > ? ORDER BY id LIMIT ?",
                                             pool, after, std::int64_t{limit}),
                             NeedRow(pool));
  }
  return All<domain::Need>(
      database_.Query("SELECT payload FROM need WHERE pool = ? AND seeker = ? AND id > ? ORDER BY id LIMIT ?", pool,
                      seeker, after, std::int64_t{limit}),
      NeedRow(pool));
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::CountOpenNeedsOf(const std::string& pool, const std::string& seeker) {
  return Number(database_.Query("SELECT count(*) FROM need WHERE pool = ? AND seeker = ? AND open = 1", pool, seeker));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Introduction>> Reader<Base>::GetIntroduction(const std::string& pool,
                                                                                  const std::string& id) {
  return One<domain::Introduction>(
      database_.Query("SELECT payload FROM introduction WHERE pool = ? AND id = ?", pool, id), IntroductionRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Introduction>> Reader<Base>::ListIntroductions(
    const std::string& pool, const application::IntroductionQuery& query) {
  const IntroductionColumns::Filter filter = IntroductionColumns::FilterOf(query);
  // By IntroductionQuery::Role.
  constexpr std::array<const char*, 4> kSql = {
      "SELECT payload FROM introduction WHERE pool = ? AND pool = ? AND id > ? AND (flags & ?) = ? AND asked >= ? "
      "ORDER BY id LIMIT ?",
      "SELECT payload FROM introduction WHERE pool = ? AND seeker = ? AND id > ? AND (flags & ?) = ? AND asked >= ? "
      "ORDER BY id LIMIT ?",
      "SELECT payload FROM introduction WHERE pool = ? AND helper = ? AND id > ? AND (flags & ?) = ? AND asked >= ? "
      "ORDER BY id LIMIT ?",
      "SELECT payload FROM introduction WHERE pool = ? AND introducer = ? AND introducer <> '' AND id > ? AND "
      "(flags & ?) = ? AND asked >= ? ORDER BY id LIMIT ?"};
  return All<domain::Introduction>(
      database_.Query(kSql[static_cast<std::size_t>(query.role)], pool, filter.member(pool), query.after, filter.flags,
                      filter.flags, filter.asked_since, std::int64_t{query.limit}),
      IntroductionRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> Reader<Base>::ListDueIntroductions(absl::Time now,
                                                                                                    int limit) {
  using Name = std::pair<std::string, std::string>;
  return All<Name>(database_.Query("SELECT pool, id FROM introduction WHERE due > 0 AND due <= ? ORDER BY due LIMIT ?",
                                   absl::ToUnixMicros(now), std::int64_t{limit}),
                   [](const Rows& r) -> absl::StatusOr<Name> { return Name(r.Text(0), r.Text(1)); });
}

template <typename Base>
absl::StatusOr<std::optional<domain::Statistics>> Reader<Base>::GetStatistics(const std::string& pool) {
  return One<domain::Statistics>(
      database_.Query("SELECT payload FROM statistics WHERE pool = ? ORDER BY generation DESC LIMIT 1", pool),
      [](const Rows& r) { return codec::DecodeStatistics(r.Text(0)); });
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::NewestGeneration(const std::string& pool) {
  return Number(database_.Query("SELECT max(generation) FROM statistics WHERE pool = ?", pool));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Statistics>> Reader<Base>::GetStatisticsOf(const std::string& pool,
                                                                                std::int64_t generation) {
  return One<domain::Statistics>(
      database_.Query("SELECT payload FROM statistics WHERE pool = ? AND generation = ?", pool, generation),
      [](const Rows& r) { return codec::DecodeStatistics(r.Text(0)); });
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::HeadRevision(const std::string& pool) {
  return Number(database_.Query("SELECT head FROM pool WHERE id = ?", pool));
}

template <typename Base>
absl::StatusOr<std::vector<std::pair<std::string, std::int64_t>>> Reader<Base>::ListHeads() {
  using Head = std::pair<std::string, std::int64_t>;
  return All<Head>(database_.Query("SELECT id, head FROM pool ORDER BY id"),
                   [](const Rows& r) -> absl::StatusOr<Head> { return Head(r.Text(0), r.Integer(1)); });
}

template <typename Base>
absl::StatusOr<std::vector<domain::Change>> Reader<Base>::ListChanges(const std::string& pool, std::int64_t after,
                                                                      int limit) {
  return All<domain::Change>(
      database_.Query(
          "SELECT revision, payload FROM change_log WHERE pool = ? AND revision > ? ORDER BY revision LIMIT ?", pool,
          after, std::int64_t{limit}),
      [&](const Rows& r) -> absl::StatusOr<domain::Change> {
        auto body = erasure_key_.Decode(pool, r.Text(1));
        if (!body.ok()) return body.status();
        return domain::Change{r.Integer(0), *std::move(body)};
      });
}

template <typename Base>
absl::StatusOr<std::optional<ErasureRecord>> Reader<Base>::GetErasure(const std::string& pool,
                                                                      const std::string& hash) {
  return One<ErasureRecord>(
      database_.Query("SELECT hash, time, removed, revision, cleaned FROM erasure WHERE pool = ? AND hash = ?", pool,
                      hash),
      [](const Rows& r) -> absl::StatusOr<ErasureRecord> {
        return ErasureRecord{r.Text(0), absl::FromUnixSeconds(r.Integer(1)), r.Integer(2), r.Integer(3),
                             r.Integer(4) > 0};
      });
}

template <typename Base>
absl::StatusOr<std::optional<application::OutboxPosition>> Reader<Base>::GetOutbox(const std::string& pool) {
  return One<application::OutboxPosition>(
      database_.Query("SELECT revision, holder, held_until FROM outbox WHERE pool = ?", pool),
      [](const Rows& r) -> absl::StatusOr<application::OutboxPosition> {
        return application::OutboxPosition{r.Integer(0), r.Text(1), absl::FromUnixMicros(r.Integer(2))};
      });
}

template class Reader<application::RecordReader>;
template class Reader<application::WriteTransaction>;

}  // namespace warmline::storage::sqlite
