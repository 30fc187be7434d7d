// One call from its start to its single Finish: admission, identity, metrics, errors. Handlers are written on top of
// it. Thread-safety: a Call is used by one thread at a time; it may move between them.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "admission/work_pool.h"
#include "api/candidate_token.h"
#include "api/place.h"
#include "api/rpc_roles.h"
#include "application/access.h"
#include "application/audit.h"
#include "application/erasure_cleaner.h"
#include "application/follower.h"
#include "application/guess_limit.h"
#include "application/market_board.h"
#include "application/pool_registry.h"
#include "application/record_keys.h"
#include "application/replicas.h"
#include "application/write_queue.h"
#include "domain/error.h"
#include "domain/revision.h"
#include "index/matcher.h"
#include "warmline/v1/types.pb.h"

namespace warmline::api {

// How often a waiting read looks whether its revision has come.
inline constexpr absl::Duration kRevisionPoll = absl::Milliseconds(2);

struct CallLimits {
  // How many calls and watches may be under way at once.
  PlaceLimits places;
  // How long a read waits for its min_revision at most.
  absl::Duration max_revision_wait = absl::Seconds(30);
  absl::Duration default_revision_wait = absl::Seconds(1);
};

// What every handler uses. Outlives the server's calls.
struct Environment {
  application::RecordStore& store;
  application::PoolRegistry& pools;
  application::WriteQueue& writes;
  application::Follower& follower;
  admission::WorkPool& matching;   // what needs a processor
  admission::WorkPool& reads;      // what may wait for the disk
  admission::WorkPool& long_work;  // what takes seconds: one at a time
  const application::TokenRegistry& tokens;
  const application::Clock& clock;
  application::Metrics& metrics;
  const application::MarketBoard& market;
  base::TokenSealer sealer;
  CandidateTokens candidate_tokens;
  domain::RevisionTokens revisions;
  CallLimits limits;
  const application::Replicas* replicas = nullptr;        // set before the first call
  application::TokenVerifier* verifier = nullptr;         // null: no such tokens
  application::AuditLog* audit = nullptr;                 // null: nothing is kept
  const application::ErasureCleaner* erasures = nullptr;  // null: the store's word is enough
  application::GuessLimit guesses{metrics};
  // Set when the server begins to end: streams that would go on for ever end.
  std::atomic<bool> draining{false};
  Occupancy occupancy{};
};

// What a request names: its pool, and the id in a collection where there is one.
struct Target {
  std::string pool;
  std::string id;
};

// Of a read that waits for a revision.
struct RevisionWait {
  std::uint64_t poll = 0;  // of the store, which says whether the revision can come at all; 0: none was asked for yet
};

class Call : public std::enable_shared_from_this<Call> {
 public:
  // Begins a call: checks room, deadline, token, role and rate. `method` is a literal. The error, if any, is in
  // `error()`.
  static std::shared_ptr<Call> Start(Environment& environment, grpc::CallbackServerContext* context,
                                     const char* method);
  // For one request of a stream: the same token, another actor and error.
  [[nodiscard]] std::shared_ptr<Call> ForRequest() const;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  [[nodiscard]] const absl::Status& error() const { return error_; }
  [[nodiscard]] Environment& environment() { return environment_; }
  [[nodiscard]] const Environment& environment() const { return environment_; }
  [[nodiscard]] const application::Caller& caller() const { return caller_; }
  [[nodiscard]] const application::Grant& grant() const { return grant_->grant; }

  // Names the pool or resource that the call is about; a wrong name is an error of the call.
  [[nodiscard]] Target PoolTarget(const std::string& name, const char* field);
  [[nodiscard]] Target ResourceTarget(const std::string& name, const char* collection, const char* field);
  // Checks the actor against the token, for the pool ("" where a call has none). False, with the error set, when it may
  // not.
  bool Authorize(const warmline::v1::Actor& actor, const std::string& pool);
  void SetError(const absl::Status& status) {
    if (error_.ok()) error_ = status;
  }

  // The end of a unary call: exactly one of these, once. All return the reactor.
  grpc::ServerUnaryReactor* Finish(const absl::Status& status);
  // Runs on a thread that may wait for the disk, in one read transaction; then finishes.
  grpc::ServerUnaryReactor* Read(std::function<absl::Status(application::RecordReader&)> read);
  // Runs on the writing thread; finishes when the write is durable and visible. `pool` is written, `reads` are likely.
  grpc::ServerUnaryReactor* Write(const std::string& pool, std::vector<application::RecordKey> reads,
                                  std::function<absl::Status(application::WriteTransaction&, absl::Time now)> write,
                                  bool validate_only = false);
  // Runs on a thread of the matching pool, once there is room; then finishes with its status. `on_reader`: on one that
  // may wait for the store instead.
  grpc::ServerUnaryReactor* Compute(admission::WorkClass work_class, std::function<absl::Status()> work,
                                    bool on_reader = false);
  // The same for a first step: `next` finishes the call, or goes on with Read or Write.
  grpc::ServerUnaryReactor* Continue(admission::WorkClass work_class, std::function<void()> next,
                                     bool on_reader = false);
  // Waits, without holding a thread, until the pool is at the token's revision; then Compute.
  grpc::ServerUnaryReactor* AtRevision(const std::string& pool, const std::string& token, absl::Duration wait,
                                       admission::WorkClass work_class, std::function<absl::Status()> then,
                                       bool on_reader = false);
  // What the call's work is, for the queue that it waits in.
  [[nodiscard]] admission::WorkOrder Order(admission::WorkClass work_class) const;
  // Counts one message of a stream against the token's rate: nothing when it may be answered, otherwise how long to
  // wait before asking again.
  [[nodiscard]] std::optional<absl::Duration> RateWait() const;

  // For streams, which finish their own reactor: what the call ended with, for metrics. Called by Finish.
  void Ended(const absl::Status& status);
  // The error of a wait that ends; OK when `token` is reached; nothing to say yet otherwise. `wait` is of this wait
  // alone, from its first question to its last.
  [[nodiscard]] std::optional<absl::Status> RevisionReached(const std::string& pool, const std::string& token,
                                                            RevisionWait& wait) const;

  // When a read that asks to wait `wait` (0: the default) gives up.
  [[nodiscard]] absl::Time RevisionDeadline(absl::Duration wait) const;

  // Of the call's own pool, or of another.
  [[nodiscard]] std::string Token(std::int64_t revision) const { return Token(pool_, revision); }
  [[nodiscard]] std::string Token(const std::string& pool, std::int64_t revision) const {
    return environment_.revisions.Of(pool, revision);
  }
  // What tokens of lists and watches are bound to: the method, the pool, who calls, and what else chose the list. Who
  // calls is the acting member, whatever token they come with; an operator is whom the token names.
  [[nodiscard]] std::vector<std::string> TokenScope(const std::string& filter) const;
  // CANCELLED or DEADLINE_EXCEEDED once the caller no longer waits.
  [[nodiscard]] absl::Status StillWanted() const;
  [[nodiscard]] absl::Time deadline() const { return absl::FromChrono(context_->deadline()); }

 private:
  Call(Environment& environment, grpc::CallbackServerContext* context, const char* method);
  void Audit(const absl::Status& status) const;
  // The context makes a new one each time it is asked: this asks once.
  grpc::ServerUnaryReactor* Reactor();
  void PollRevision(const std::string& pool, const std::string& token, RevisionWait wait, absl::Time until,
                    std::function<void()> then);
  [[nodiscard]] absl::Status Admit();

  Environment& environment_;
  grpc::CallbackServerContext* context_;
  grpc::ServerUnaryReactor* reactor_ = nullptr;
  const char* method_;
  const RpcTraits& traits_;
  const absl::Time started_;
  std::shared_ptr<const application::GrantInForce> grant_;
  application::Caller caller_;
  std::string pool_;      // as authorised
  std::string resource_;  // the first that was named
  absl::Status error_;
  bool ended_ = false;
  Place place_;
};

// At most this many characters of a request id, and at least 8: a violation otherwise.
void ValidateRequestId(const std::string& request_id, domain::Violations& violations);
// A page size within limits; 0 is read as the default. A violation otherwise.
[[nodiscard]] int PageSize(int asked, domain::Violations& violations);

}  // namespace warmline::api
