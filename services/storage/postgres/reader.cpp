#include "storage/postgres/reader.h"

#include <algorithm>
#include <array>

#include "codec/records.h"
#include "storage/introduction_columns.h"

namespace warmline::storage::postgres {
namespace {

using application::ErasureRecord;

// Every row, through `decode(result, row) -> StatusOr<T>`.
template <typename T, typename DecodeRow>
absl::StatusOr<std::vector<T>> All(const absl::StatusOr<Result>& result, DecodeRow decode) {
  if (!result.ok()) return result.status();
  std::vector<T> all;
  all.reserve(static_cast<std::size_t>(result->rows()));
  for (int row = 0; row < result->rows(); ++row) {
    absl::StatusOr<T> value = decode(*result, row);
    if (!value.ok()) return value.status();
    all.push_back(*std::move(value));
  }
  return all;
}

template <typename T, typename DecodeRow>
absl::StatusOr<std::optional<T>> One(const absl::StatusOr<Result>& result, DecodeRow decode) {
  auto all = All<T>(result, decode);
  if (!all.ok()) return all.status();
  if (all->empty()) return std::optional<T>();
  return std::optional<T>(std::move(all->front()));
}

absl::StatusOr<std::int64_t> Number(const absl::StatusOr<Result>& result) {
  if (!result.ok()) return result.status();
  return result->rows() == 0 ? 0 : result->Integer(0, 0);
}

auto PoolRow() {
  return [](const Result& r, int row) { return codec::DecodePool(r.Text(row, 0)); };
}
auto MemberRow(const std::string& pool) {
  return [&pool](const Result& r, int row) { return codec::DecodeMember(pool, r.Text(row, 0)); };
}
auto ConnectionRow(const std::string& pool) {
  return [&pool](const Result& r, int row) { return codec::DecodeConnection(pool, r.Text(row, 0)); };
}
auto NeedRow(const std::string& pool) {
  return [&pool](const Result& r, int row) { return codec::DecodeNeed(pool, r.Text(row, 0)); };
}
auto IntroductionRow(const std::string& pool) {
  return [&pool](const Result& r, int row) { return codec::DecodeIntroduction(pool, r.Text(row, 0)); };
}
auto StatisticsRow() {
  return [](const Result& r, int row) { return codec::DecodeStatistics(r.Text(row, 0)); };
}
absl::StatusOr<domain::Block> BlockRow(const Result& r, int row) {
  return domain::Block{r.Text(row, 0), r.Text(row, 1)};
}

}  // namespace

template <typename Base>
absl::StatusOr<std::optional<domain::Pool>> Reader<Base>::GetPool(const std::string& pool) {
  return One<domain::Pool>(Query("SELECT payload FROM pool WHERE id = $1", {pool}), PoolRow());
}

template <typename Base>
absl::StatusOr<std::vector<domain::Pool>> Reader<Base>::ListPools(const std::string& after, int limit) {
  return All<domain::Pool>(
      Query("SELECT payload FROM pool WHERE id > $1 ORDER BY id LIMIT $2", {after, std::int64_t{limit}}), PoolRow());
}

template <typename Base>
absl::StatusOr<std::optional<domain::Member>> Reader<Base>::GetMember(const std::string& pool, const std::string& id) {
  return One<domain::Member>(Query("SELECT payload FROM member WHERE pool = $1 AND id = $2", {pool, id}),
                             MemberRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Member>> Reader<Base>::ListMembers(const std::string& pool, const std::string& after,
                                                                      int limit) {
  return All<domain::Member>(Query("SELECT payload FROM member WHERE pool = $1 AND id > $2 ORDER BY id LIMIT $3",
                                   {pool, after, std::int64_t{limit}}),
                             MemberRow(pool));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Connection>> Reader<Base>::GetConnection(const std::string& pool,
                                                                              const std::string& a,
                                                                              const std::string& b) {
  return One<domain::Connection>(
      Query("SELECT payload FROM connection WHERE pool = $1 AND a = $2 AND b = $3", {pool, a, b}), ConnectionRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Connection>> Reader<Base>::ListConnections(
    const std::string& pool, const std::pair<std::string, std::string>& after, int limit) {
  return All<domain::Connection>(
      Query("SELECT payload FROM connection WHERE pool = $1 AND (a, b) > ($2, $3) ORDER BY a, b LIMIT $4",
            {pool, after.first, after.second, std::int64_t{limit}}),
      ConnectionRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Connection>> Reader<Base>::ListConnectionsOf(const std::string& pool,
                                                                                const std::string& member,
                                                                                const std::string& after, int limit) {
  // Both sides are in order already; a row is in one of the two only.
  return All<domain::Connection>(
      Query("SELECT payload FROM ("
            "(SELECT b AS other, payload FROM connection WHERE pool = $1 AND a = $2 AND b > $3 ORDER BY b LIMIT $4) "
            "UNION ALL "
            "(SELECT a AS other, payload FROM connection WHERE pool = $1 AND b = $2 AND a > $3 ORDER BY a LIMIT $4)"
            ") AS sides ORDER BY other LIMIT $4",
            {pool, member, after, std::int64_t{limit}}),
      ConnectionRow(pool));
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::CountConnectionsOf(const std::string& pool, const std::string& member) {
  return Number(
      Query("SELECT (SELECT count(*) FROM connection WHERE pool = $1 AND a = $2) + "
            "(SELECT count(*) FROM connection WHERE pool = $1 AND b = $2)",
            {pool, member}));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Block>> Reader<Base>::GetBlock(const std::string& pool, const std::string& blocker,
                                                                    const std::string& blocked) {
  return One<domain::Block>(
      Query("SELECT blocker, blocked FROM block WHERE pool = $1 AND blocker = $2 AND blocked = $3",
            {pool, blocker, blocked}),
      BlockRow);
}

template <typename Base>
absl::StatusOr<std::vector<domain::Block>> Reader<Base>::ListBlocks(const std::string& pool,
                                                                    const std::pair<std::string, std::string>& after,
                                                                    int limit) {
  return All<domain::Block>(Query("SELECT blocker, blocked FROM block WHERE pool = $1 AND (blocker, blocked) > "
                                  "($2, $3) ORDER BY blocker, blocked LIMIT $4",
                                  {pool, after.first, after.second, std::int64_t{limit}}),
                            BlockRow);
}

template <typename Base>
absl::StatusOr<std::vector<domain::Block>> Reader<Base>::ListBlocksOf(const std::string& pool,
                                                                      const std::string& blocker,
                                                                      const std::string& after, int limit) {
  return All<domain::Block>(Query("SELECT blocker, blocked FROM block WHERE pool = $1 AND blocker = $2 AND "
                                  "blocked > $3 ORDER BY blocked LIMIT $4",
                                  {pool, blocker, after, std::int64_t{limit}}),
                            BlockRow);
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::CountBlocksOf(const std::string& pool, const std::string& blocker) {
  return Number(Query("SELECT count(*) FROM block WHERE pool = $1 AND blocker = $2", {pool, blocker}));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Need>> Reader<Base>::GetNeed(const std::string& pool, const std::string& id) {
  return One<domain::Need>(Query("SELECT payload FROM need WHERE pool = $1 AND id = $2", {pool, id}), NeedRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Need>> Reader<Base>::ListNeeds(const std::string& pool, const std::string& seeker,
                                                                  const std::string& after, int limit) {
  if (seeker.empty()) {
    return All<domain::Need>(Query("SELECT payload FROM need WHERE pool = $1 AND id > $2 ORDER BY id LIMIT $3",
                                   {pool, after, std::int64_t{limit}}),
                             NeedRow(pool));
  }
  return All<domain::Need>(
      Query("SELECT payload FROM need WHERE pool = $1 AND seeker = $2 AND id > $3 ORDER BY id LIMIT $4",
            {pool, seeker, after, std::int64_t{limit}}),
      NeedRow(pool));
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::CountOpenNeedsOf(const std::string& pool, const std::string& seeker) {
  return Number(Query("SELECT count(*) FROM need WHERE pool = $1 AND seeker = $2 AND is_open = 1", {pool, seeker}));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Introduction>> Reader<Base>::GetIntroduction(const std::string& pool,
                                                                                  const std::string& id) {
  return One<domain::Introduction>(Query("SELECT payload FROM introduction WHERE pool = $1 AND id = $2", {pool, id}),
                                   IntroductionRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<domain::Introduction>> Reader<Base>::ListIntroductions(
    const std::string& pool, const application::IntroductionQuery& query) {
  const IntroductionColumns::Filter filter = IntroductionColumns::FilterOf(query);
  // By IntroductionQuery::Role.
  constexpr std::array<const char*, 4> kSql = {
      "SELECT payload FROM introduction WHERE pool = $1 AND pool = $2 AND id > $3 AND (flags & $4) = $4 AND asked >= "
      "$5 ORDER BY id LIMIT $6",
      "SELECT payload FROM introduction WHERE pool = $1 AND seeker = $2 AND id > $3 AND (flags & $4) = $4 AND asked >= "
      "$5 ORDER BY id LIMIT $6",
      "SELECT payload FROM introduction WHERE pool = $1 AND helper = $2 AND id > $3 AND (flags & $4) = $4 AND asked >= "
      "$5 ORDER BY id LIMIT $6",
      "SELECT payload FROM introduction WHERE pool = $1 AND introducer = $2 AND introducer <> '' AND id > $3 AND "
      "(flags "
      "& $4) = $4 AND asked >= $5 ORDER BY id LIMIT $6"};
  return All<domain::Introduction>(
      Query(kSql[static_cast<std::size_t>(query.role)],
            {pool, filter.member(pool), query.after, filter.flags, filter.asked_since, std::int64_t{query.limit}}),
      IntroductionRow(pool));
}

template <typename Base>
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> Reader<Base>::ListDueIntroductions(absl::Time now,
                                                                                                    int limit) {
  using Name = std::pair<std::string, std::string>;
  return All<Name>(
      Query("SELECT pool, id FROM introduction WHERE due > 0 AND due <= $1 ORDER BY due LIMIT $2",
            {absl::ToUnixMicros(now), std::int64_t{limit}}),
      [](const Result& r, int row) -> absl::StatusOr<Name> { return Name(r.Text(row, 0), r.Text(row, 1)); });
}

template <typename Base>
absl::StatusOr<std::optional<domain::Statistics>> Reader<Base>::GetStatistics(const std::string& pool) {
  return One<domain::Statistics>(
      Query("SELECT payload FROM statistics WHERE pool = $1 ORDER BY generation DESC LIMIT 1", {pool}),
      StatisticsRow());
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::NewestGeneration(const std::string& pool) {
  return Number(Query("SELECT max(generation) FROM statistics WHERE pool = $1", {pool}));
}

template <typename Base>
absl::StatusOr<std::optional<domain::Statistics>> Reader<Base>::GetStatisticsOf(const std::string& pool,
                                                                                std::int64_t generation) {
  return One<domain::Statistics>(
      Query("SELECT payload FROM statistics WHERE pool = $1 AND generation = $2", {pool, generation}), StatisticsRow());
}

template <typename Base>
absl::StatusOr<std::int64_t> Reader<Base>::HeadRevision(const std::string& pool) {
  return Number(Query("SELECT head FROM pool WHERE id = $1", {pool}));
}

template <typename Base>
absl::StatusOr<std::vector<std::pair<std::string, std::int64_t>>> Reader<Base>::ListHeads() {
  using Head = std::pair<std::string, std::int64_t>;
  return All<Head>(
      Query("SELECT id, head FROM pool ORDER BY id"),
      [](const Result& r, int row) -> absl::StatusOr<Head> { return Head(r.Text(row, 0), r.Integer(row, 1)); });
}

template <typename Base>
absl::StatusOr<std::vector<domain::Change>> Reader<Base>::ListChanges(const std::string& pool, std::int64_t after,
                                                                      int limit) {
  return All<domain::Change>(
      Query("SELECT revision, payload FROM change_log WHERE pool = $1 AND revision > $2 ORDER BY revision LIMIT $3",
            {pool, after, std::int64_t{limit}}),
      [&](const Result& r, int row) -> absl::StatusOr<domain::Change> {
        auto body = erasure_key_.Decode(pool, r.Text(row, 1));
        if (!body.ok()) return body.status();
        return domain::Change{r.Integer(row, 0), *std::move(body)};
      });
}

template <typename Base>
absl::StatusOr<std::optional<ErasureRecord>> Reader<Base>::GetErasure(const std::string& pool,
                                                                      const std::string& hash) {
  return One<ErasureRecord>(
      Query("SELECT hash, time, removed, revision, cleaned FROM erasure WHERE pool = $1 AND hash = $2", {pool, hash}),
      [](const Result& r, int row) -> absl::StatusOr<ErasureRecord> {
        return ErasureRecord{r.Text(row, 0), absl::FromUnixSeconds(r.Integer(row, 1)), r.Integer(row, 2),
                             r.Integer(row, 3), r.Integer(row, 4) > 0};
      });
}

template <typename Base>
absl::StatusOr<std::optional<application::OutboxPosition>> Reader<Base>::GetOutbox(const std::string& pool) {
  return One<application::OutboxPosition>(
      Query("SELECT revision, holder, held_until FROM outbox WHERE pool = $1", {pool}),
      [](const Result& r, int row) -> absl::StatusOr<application::OutboxPosition> {
        return application::OutboxPosition{r.Integer(row, 0), r.Text(row, 1), absl::FromUnixMicros(r.Integer(row, 2))};
      });
}

template class Reader<application::RecordReader>;
template class Reader<application::WriteTransaction>;

}  // namespace warmline::storage::postgres
