// Port: where a pool's records live, with their change log. Adapters: services/storage. Every adapter passes
// tests/conformance.
//
// A write transaction is the only way to write: each Put or Delete takes the next revision of the pool from its head
// row, writes the record and the row of the change log, and so revisions become visible in order. Nothing is kept
// unless Commit returns OK. Errors of every call: UNAVAILABLE (STORE_UNAVAILABLE, STORE_FULL), INTERNAL
// (INTERNAL_DEFECT) for a damaged store.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domain/change.h"

namespace warmline::application {

// What was kept of a write, so that a retry gets the first reply.
struct StoredReply {
  std::uint64_t fingerprint = 0;
  std::string reply;
};

struct ErasureRecord {
  std::string hash;  // keyed hash of the member's id
  absl::Time time;
  std::int64_t records_removed = 0;
  std::int64_t revision = 0;
  // RecordStore::CleanErased has done its part of it.
  bool cleaned = false;
};

// How far RecordStore::CleanErased came.
enum class Cleaning {
  kClean,  // nothing is left to do
  kMore,   // the next part can be done at once
  kLater   // readers or another process hold it back: try again in a second
};

// A row of the change log, its payload in bytes.
struct LogRow {
  std::string pool;
  std::int64_t revision = 0;
  std::string payload;
  bool erases = false;  // a member, so that earlier rows must be forgotten
};

// What a write will read: a record, a kept reply, or a count. A store may fetch those of a whole batch at once.
struct RecordKey {
  enum class Kind {
    kMember,
    kConnection,
    kBlock,
    kNeed,
    kReply,
    kIntroduction,
    kConnectionCount,
    kBlockCount,
    kOpenNeedCount,
    kErasure  // a member whom the write erases: it may use what is kept back for that
  };
  Kind kind = Kind::kMember;
  std::string pool;
  std::string a;  // an id, or the first of a pair
  std::string b;  // the second of a pair
};

// What a transaction is about to do. `pools` are locked against other processes from the start, in one order
// everywhere; a pool that is written without being named is locked when it is first written, which may end the
// transaction (UNAVAILABLE) when two processes do so crosswise. `reads` is only a hint.
struct BatchHint {
  std::vector<std::string> pools;
  std::vector<RecordKey> reads;
};

// How far a pool's events were sent to backend services, and which process sends them now.
struct OutboxPosition {
  std::int64_t revision = 0;  // up to which everything was sent
  std::string holder;
  absl::Time held_until;
};

// Which introductions to list. All that is given must hold.
struct IntroductionQuery {
  enum class Role { kAny, kSeeker, kHelper, kIntroducer };
  Role role = Role::kAny;
  std::string member = {};     // in that role
  bool open_only = false;      // holds a place of the helper
  bool bars_only = false;      // open, or cooling down
  bool drafts_only = false;    // waits for its turn
  bool helped_only = false;    // the seeker says that it helped
  bool reported_only = false;  // of abuse
  absl::Time asked_since = absl::InfinitePast();
  std::string after = {};
  int limit = 0;
};

// Reads of one consistent state. Lists are by id in byte order, after `after` (exclusive; "" from the start), at most
// `limit`. Thread-safety: one thread at a time.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  [[nodiscard]] virtual absl::StatusOr<std::optional<domain::Pool>> GetPool(const std::string& pool) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Pool>> ListPools(const std::string& after, int limit) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::optional<domain::Member>> GetMember(const std::string& pool,
                                                                                const std::string& id) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Member>> ListMembers(const std::string& pool,
                                                                                const std::string& after,
                                                                                int limit) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::optional<domain::Connection>> GetConnection(const std::string& pool,
                                                                                        const std::string& a,
                                                                                        const std::string& b) = 0;
  // By (a, b).
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Connection>> ListConnections(
      const std::string& pool, const std::pair<std::string, std::string>& after, int limit) = 0;
  // Of one member, by the id of the other side; `after` is such an id.
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Connection>> ListConnectionsOf(const std::string& pool,
                                                                                          const std::string& member,
                                                                                          const std::string& after,
                                                                                          int limit) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> CountConnectionsOf(const std::string& pool,
                                                                        const std::string& member) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::optional<domain::Block>> GetBlock(const std::string& pool,
                                                                              const std::string& blocker,
                                                                              const std::string& blocked) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Block>> ListBlocks(
      const std::string& pool, const std::pair<std::string, std::string>& after, int limit) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Block>> ListBlocksOf(const std::string& pool,
                                                                                const std::string& blocker,
                                                                                const std::string& after,
                                                                                int limit) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> CountBlocksOf(const std::string& pool,
                                                                   const std::string& blocker) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::optional<domain::Need>> GetNeed(const std::string& pool,
                                                                            const std::string& id) = 0;
  // Of the pool, or of one seeker where `seeker` is not empty.
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Need>> ListNeeds(const std::string& pool,
                                                                            const std::string& seeker,
                                                                            const std::string& after, int limit) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> CountOpenNeedsOf(const std::string& pool,
                                                                      const std::string& seeker) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::optional<domain::Introduction>> GetIntroduction(const std::string& pool,
                                                                                            const std::string& id) = 0;
  // By id, which is in order of when they were made.
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Introduction>> ListIntroductions(
      const std::string& pool, const IntroductionQuery& query) = 0;
  // Pool and id of those where something is due by `now`, the most overdue first.
  [[nodiscard]] virtual absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ListDueIntroductions(
      absl::Time now, int limit) = 0;
  // The newest generation.
  [[nodiscard]] virtual absl::StatusOr<std::optional<domain::Statistics>> GetStatistics(const std::string& pool) = 0;
  // Its generation; 0 when there is none.
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> NewestGeneration(const std::string& pool) = 0;
  // One generation, if it is still kept: the newest eight are.
  [[nodiscard]] virtual absl::StatusOr<std::optional<domain::Statistics>> GetStatisticsOf(const std::string& pool,
                                                                                          std::int64_t generation) = 0;
  // 0 for a pool that does not exist.
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> HeadRevision(const std::string& pool) = 0;
  // Of every pool, by id.
  [[nodiscard]] virtual absl::StatusOr<std::vector<std::pair<std::string, std::int64_t>>> ListHeads() = 0;
  // Rows of the change log with revisions past `after`, in order. Statistics come with their generation only; a
  // MemberErased without the id, but with what finds the member (domain/change.h).
  [[nodiscard]] virtual absl::StatusOr<std::vector<domain::Change>> ListChanges(const std::string& pool,
                                                                                std::int64_t after, int limit) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::optional<ErasureRecord>> GetErasure(const std::string& pool,
                                                                                const std::string& hash) = 0;
  // Nothing for a pool whose events were never sent. The name "" stands for no pool, and may be used as a mark.
  [[nodiscard]] virtual absl::StatusOr<std::optional<OutboxPosition>> GetOutbox(const std::string& pool) = 0;
};

// Thread-safety: one thread at a time; at most one write transaction of a store object lives at once. Transactions of
// several processes on one pool come one after the other.
class WriteTransaction : public RecordReader {
 public:
  // One item of a batch: what it wrote is undone by RollbackItem, or kept (until Commit) by EndItem.
  // Items may nest.
  [[nodiscard]] virtual absl::Status BeginItem() = 0;
  [[nodiscard]] virtual absl::Status EndItem() = 0;
  [[nodiscard]] virtual absl::Status RollbackItem() = 0;

  // Insert or replace. The record's `revision`, where it has one, is set to the revision that is returned.
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> Put(domain::Pool& pool) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> Put(const std::string& pool, domain::Member& member) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> Put(const std::string& pool, domain::Connection& connection) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> Put(const std::string& pool, const domain::Block& block) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> Put(const std::string& pool, domain::Need& need) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> Put(const std::string& pool,
                                                         const domain::Statistics& statistics) = 0;
  // Takes away all generations before this one, at once: they name interests that nobody may read any more.
  [[nodiscard]] virtual absl::Status DropStatistics(const std::string& pool, std::int64_t before) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> Put(const std::string& pool,
                                                         domain::Introduction& introduction) = 0;
  // Nothing but a row of the change log.
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> Put(const std::string& pool, const domain::Notice& notice) = 0;
  // Takes no revision. Whoever reads and then writes it names the pool in the batch, so that others wait.
  [[nodiscard]] virtual absl::Status PutOutbox(const std::string& pool, const OutboxPosition& position) = 0;
  // Deleting what is not there takes a revision too: use cases check first.
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> DeleteIntroduction(const std::string& pool,
                                                                        const std::string& id) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> DeleteConnection(const std::string& pool, const std::string& a,
                                                                      const std::string& b) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::int64_t> DeleteBlock(const std::string& pool, const std::string& blocker,
                                                                 const std::string& blocked) = 0;
  // Removes a member with all ties, blocks, needs, introductions as seeker or helper, kept replies and payloads of the
  // change log that name them; needs of others that exclude them do so no longer. The change log says one thing of it:
  // MemberErased, with which the member's needs are gone too.
  [[nodiscard]] virtual absl::StatusOr<ErasureRecord> EraseMember(const std::string& pool, const std::string& member,
                                                                  absl::Time now) = 0;

  // The reply kept under a request id in the last day, and keeping one. `subject` is the member whose data it holds, or
  // "".
  [[nodiscard]] virtual absl::StatusOr<std::optional<StoredReply>> GetReply(const std::string& pool,
                                                                            const std::string& request_id) = 0;
  [[nodiscard]] virtual absl::Status PutReply(const std::string& pool, const std::string& request_id,
                                              const std::string& subject, const StoredReply& reply, absl::Time now) = 0;

  // What the items kept so far wrote, in order, for the index; and the same as it stands in the change log, for others.
  [[nodiscard]] virtual const std::vector<std::pair<std::string, domain::Change>>& changes() const = 0;
  [[nodiscard]] virtual const std::vector<LogRow>& log_rows() const = 0;
  // Durable once it returns OK. After an error nothing was kept, and the transaction is over.
  [[nodiscard]] virtual absl::Status Commit() = 0;
};

// Thread-safety: all calls from any thread. `Begin` is called by one thread at a time.
class RecordStore {
 public:
  virtual ~RecordStore() = default;
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<RecordReader>> Read() = 0;
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<WriteTransaction>> Begin(const BatchHint& hint) = 0;
  [[nodiscard]] absl::StatusOr<std::unique_ptr<WriteTransaction>> Begin() { return Begin(BatchHint{}); }
  // The body of a LogRow of this store, as ListChanges gives it. Errors: INTERNAL for bytes that are no such payload.
  [[nodiscard]] virtual absl::StatusOr<domain::ChangeBody> DecodeLogRow(const std::string& pool,
                                                                        const std::string& payload) const = 0;
  // Does a part of what is left to do once erasures are committed: takes away what the store's own files still hold of
  // erased members, and says so in the ledger. Takes a second or so, VACUUM longer, and does not hold up writes for
  // longer than a moment. From one thread at a time, which may be another than that of `Begin`.
  [[nodiscard]] virtual absl::StatusOr<Cleaning> CleanErased(absl::Time now) = 0;
  // From then on CleanErased returns soon. From any thread.
  virtual void StopCleaning() {}
  // Gives up the room on the disk that is kept back for erasures, where it is full: false when there is none. And makes
  // it again, as far as there is room. On the thread of `Begin`.
  [[nodiscard]] virtual bool ReleaseReserve() = 0;
  virtual void KeepReserve() = 0;
  [[nodiscard]] virtual std::int64_t reserve_bytes() const = 0;
  // What stands in the ledger of erasures for a member.
  [[nodiscard]] virtual std::string ErasureHash(const std::string& pool, const std::string& member) const = 0;
  // Chosen when the store was made; revision tokens name it.
  [[nodiscard]] virtual std::uint64_t history() const = 0;
  // 32 secret bytes, made with the store: the key of opaque tokens.
  [[nodiscard]] virtual const std::string& token_key() const = 0;
  // Memory that the store itself takes in this process, its cache for the most part.
  [[nodiscard]] virtual std::int64_t cache_bytes() const { return 0; }
};

}  // namespace warmline::application
