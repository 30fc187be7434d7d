// Reads of records over one connection. Thread-safety: one thread at a time.
#pragma once

#include "application/record_store.h"
#include "storage/erasure_key.h"
#include "storage/postgres/connection.h"

namespace warmline::storage::postgres {

// The reads of RecordReader, on top of Base (RecordReader or WriteTransaction), whose transaction the derived class
// holds.
template <typename Base>
class Reader : public Base {
 public:
  Reader(Connection& connection, const ErasureKey& erasure_key) : connection_(connection), erasure_key_(erasure_key) {}

  absl::StatusOr<std::optional<domain::Pool>> GetPool(const std::string& pool) override;
  absl::StatusOr<std::vector<domain::Pool>> ListPools(const std::string& after, int limit) override;
  absl::StatusOr<std::optional<domain::Member>> GetMember(const std::string& pool, const std::string& id) override;
  absl::StatusOr<std::vector<domain::Member>> ListMembers(const std::string& pool, const std::string& after,
                                                          int limit) override;
  absl::StatusOr<std::optional<domain::Connection>> GetConnection(const std::string& pool, const std::string& a,
                                                                  const std::string& b) override;
  absl::StatusOr<std::vector<domain::Connection>> ListConnections(const std::string& pool,
                                                                  const std::pair<std::string, std::string>& after,
                                                                  int limit) override;
  absl::StatusOr<std::vector<domain::Connection>> ListConnectionsOf(const std::string& pool, const std::string& member,
                                                                    const std::string& after, int limit) override;
  absl::StatusOr<std::int64_t> CountConnectionsOf(const std::string& pool, const std::string& member) override;
  absl::StatusOr<std::optional<domain::Block>> GetBlock(const std::string& pool, const std::string& blocker,
                                                        const std::string& blocked) override;
  absl::StatusOr<std::vector<domain::Block>> ListBlocks(const std::string& pool,
                                                        const std::pair<std::string, std::string>& after,
                                                        int limit) override;
  absl::StatusOr<std::vector<domain::Block>> ListBlocksOf(const std::string& pool, const std::string& blocker,
                                                          const std::string& after, int limit) override;
  absl::StatusOr<std::int64_t> CountBlocksOf(const std::string& pool, const std::string& blocker) override;
  absl::StatusOr<std::optional<domain::Need>> GetNeed(const std::string& pool, const std::string& id) override;
  absl::StatusOr<std::vector<domain::Need>> ListNeeds(const std::string& pool, const std::string& seeker,
                                                      const std::string& after, int limit) override;
  absl::StatusOr<std::int64_t> CountOpenNeedsOf(const std::string& pool, const std::string& seeker) override;
  absl::StatusOr<std::optional<domain::Introduction>> GetIntroduction(const std::string& pool,
                                                                      const std::string& id) override;
  absl::StatusOr<std::vector<domain::Introduction>> ListIntroductions(
      const std::string& pool, const application::IntroductionQuery& query) override;
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListDueIntroductions(absl::Time now,
                                                                                        int limit) override;
  absl::StatusOr<std::optional<domain::Statistics>> GetStatistics(const std::string& pool) override;
  absl::StatusOr<std::int64_t> NewestGeneration(const std::string& pool) override;
  absl::StatusOr<std::optional<domain::Statistics>> GetStatisticsOf(const std::string& pool,
                                                                    std::int64_t generation) override;
  absl::StatusOr<std::int64_t> HeadRevision(const std::string& pool) override;
  absl::StatusOr<std::vector<std::pair<std::string, std::int64_t>>> ListHeads() override;
  absl::StatusOr<std::vector<domain::Change>> ListChanges(const std::string& pool, std::int64_t after,
                                                          int limit) override;
  absl::StatusOr<std::optional<application::OutboxPosition>> GetOutbox(const std::string& pool) override;
  absl::StatusOr<std::optional<application::ErasureRecord>> GetErasure(const std::string& pool,
                                                                       const std::string& hash) override;

 protected:
  // Before every statement: where writes wait to be sent, they must be seen by it.
  [[nodiscard]] virtual absl::Status BeforeQuery() { return absl::OkStatus(); }
  [[nodiscard]] absl::StatusOr<Result> Query(const char* sql, const std::vector<Argument>& arguments = {}) {
    if (auto status = BeforeQuery(); !status.ok()) return status;
    return connection_.Query(sql, arguments);
  }

  Connection& connection_;
  const ErasureKey& erasure_key_;
};

}  // namespace warmline::storage::postgres
