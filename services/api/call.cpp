#include "api/call.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/alarm.h>

#include <algorithm>
#include <array>

#include "api/errors.h"
#include "api/rpc_roles.h"
#include "api/token_hash.h"
#include "base/rcu.h"
#include "domain/limits.h"
#include "domain/names.h"

namespace warmline::api {
namespace {

using domain::ErrorReason;

constexpr char kBearer[] = "Bearer ";
// What gRPC gives as the peer of a call within this process; calls over the network have an address.
constexpr char kNoAddress[] = "unknown";

using GrantPointer = std::shared_ptr<const application::GrantInForce>;

// The grant of the caller's certificate, by a name in it; null where there is none.
GrantPointer OfCertificate(const application::TokenRegistry& tokens, const grpc::CallbackServerContext& context) {
  const auto connection = context.auth_context();
  if (connection == nullptr || !connection->IsPeerAuthenticated()) return nullptr;
  for (const char* property : {GRPC_X509_SAN_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME}) {
    for (const grpc::string_ref& name : connection->FindPropertyValues(property)) {
      if (auto grant = tokens.Find(CertificateKey(std::string(name.data(), name.size())))) return grant;
    }
  }
  return nullptr;
}

absl::StatusOr<GrantPointer> Identify(const Environment& environment, const grpc::CallbackServerContext& context) {
  const application::TokenRegistry& tokens = environment.tokens;
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  if (found == metadata.end()) {
    if (auto grant = OfCertificate(tokens, context)) return grant;
    return domain::MakeError(ErrorReason::kTokenMissing,
                             "the call carries no token: send the metadata `authorization: Bearer <token>`");
  }
  const std::string value(found->second.data(), found->second.size());
  if (absl::StartsWith(value, kBearer)) {
    const std::string token = value.substr(sizeof(kBearer) - 1);
    const std::string sha256 = TokenHash(token);
    if (auto grant = tokens.Find(sha256)) return grant;
    if (environment.verifier != nullptr && environment.verifier->Recognises(token))
      return environment.verifier->Verify(token, sha256, environment.clock.Now());
  }
  return domain::MakeError(ErrorReason::kTokenUnknown,
                           "the token is not one that this server knows: check it, and that it is sent as "
                           "`authorization: Bearer <token>`");
}

// Of the caller; of who called this process over HTTP, where it calls itself.
std::string PeerOf(const grpc::CallbackServerContext& context) {
  std::string peer = context.peer();
  if (peer != kNoAddress) return peer;
  const auto forwarded = context.client_metadata().find(application::kForwardedPeer);
  return forwarded == context.client_metadata().end() ? peer
                                                      : std::string(forwarded->second.data(), forwarded->second.size());
}

absl::Status CheckGrant(const application::GrantInForce& grant, const char* method) {
  const application::CallRoles roles = RolesFor(method);
  if ((grant.grant.roles & roles) == 0) {
    return domain::MakeError(ErrorReason::kRoleNotAllowed,
                             absl::StrCat("the token's roles (", application::RoleNames(grant.grant.roles),
                                          ") may not call ", method, ": it takes ", application::RoleNames(roles)));
  }
  if (const auto wait = grant.rate.Take(absl::Now())) {
    return domain::MakeError(ErrorReason::kCallRateExceeded,
                             absl::StrCat("the token may make ", grant.grant.calls_per_second,
                                          " calls a second: slow down, or have its calls_per_second raised"),
                             std::max(*wait, absl::Milliseconds(1)));
  }
  return absl::OkStatus();
}

}  // namespace

Call::Call(Environment& environment, grpc::CallbackServerContext* context, const char* method)
    : environment_(environment), context_(context), method_(method), started_(absl::Now()) {}

std::shared_ptr<Call> Call::Start(Environment& environment, grpc::CallbackServerContext* context, const char* method) {
  std::shared_ptr<Call> call(new Call(environment, context, method));
  if (environment.in_flight.fetch_add(1, std::memory_order_relaxed) >= environment.limits.max_in_flight) {
    environment.metrics.CallRefused("overloaded");
    call->SetError(domain::MakeError(ErrorReason::kOverloaded,
                                     absl::StrCat(environment.limits.max_in_flight,
                                                  " calls are under way already: try again later, at a lower rate"),
                                     absl::Milliseconds(100)));
    return call;
  }
  auto grant = Identify(environment, *context);
  if (grant.ok()) {
    call->grant_ = *std::move(grant);
    call->SetError(CheckGrant(*call->grant_, method));
  } else {
    call->SetError(grant.status());
  }
  return call;
}

std::shared_ptr<Call> Call::ForRequest() const {
  std::shared_ptr<Call> call(new Call(environment_, context_, method_));
  call->grant_ = grant_;
  call->ended_ = true;  // the stream is counted, not its requests
  call->counted_ = false;
  return call;
}

Call::~Call() {
  if (counted_) environment_.in_flight.fetch_sub(1, std::memory_order_relaxed);
}

Target Call::PoolTarget(const std::string& name, const char* field) {
  const auto pool = domain::ParsePoolName(name);
  if (pool) return {*pool, ""};
  domain::Violations violations;
  violations.Add(field, absl::StrCat(domain::Quoted(name), " is not the name of a pool: write pools/{pool}"));
  SetError(violations.ToStatus());
  return {};
}

Target Call::ResourceTarget(const std::string& name, const char* collection, const char* field) {
  const auto parsed = domain::ParseResourceName(name, collection);
  if (parsed) {
    if (resource_.empty()) resource_ = name;
    return {parsed->pool, parsed->id};
  }
  domain::Violations violations;
  violations.Add(
      field, absl::StrCat(domain::Quoted(name), " is not a resource name: write pools/{pool}/", collection, "/{id}"));
  SetError(violations.ToStatus());
  return {};
}

bool Call::Authorize(const warmline::v1::Actor& actor, const std::string& pool) {
  pool_ = pool;
  if (!error_.ok()) return false;
  domain::Violations violations;
  if (actor.audience() == warmline::v1::AUDIENCE_UNSPECIFIED || !warmline::v1::Audience_IsValid(actor.audience())) {
    violations.Add("actor.audience",
                   absl::StrCat(static_cast<int>(actor.audience()),
                                " is not an audience: say in whose place you call, for example SEEKER"));
  }
  caller_.audience = static_cast<domain::Audience>(actor.audience());
  if (!actor.acting_member().empty()) {
    const auto member = domain::ParseResourceName(actor.acting_member(), "members");
    if (!member || member->pool != pool) {
      violations.Add("actor.acting_member",
                     absl::StrCat(domain::Quoted(actor.acting_member()), " is not a member of this pool: write pools/",
                                  pool, "/members/{id}"));
    } else {
      caller_.member = member->id;
    }
  }
  if (!violations.empty()) {
    SetError(violations.ToStatus());
    return false;
  }
  SetError(application::Authorize(grant_->grant, caller_, pool));
  return error_.ok();
}

void Call::Ended(const absl::Status& status) {
  if (ended_) return;
  ended_ = true;
  environment_.metrics.CallEnded(method_, CodeName(status.code()), absl::Now() - started_);
  if (!status.ok()) environment_.metrics.CallFailed(method_, ReasonName(status));
  if (environment_.audit != nullptr) Audit(status);
}

void Call::Audit(const absl::Status& status) const {
  const bool refused =
      status.code() == absl::StatusCode::kUnauthenticated || status.code() == absl::StatusCode::kPermissionDenied;
  if (!refused && !HasSideEffects(method_)) return;
  application::AuditEntry entry;
  entry.at = environment_.clock.Now();
  entry.took = absl::Now() - started_;
  entry.method = method_;
  if (grant_ != nullptr) entry.grant = grant_->grant.name;
  entry.peer = PeerOf(*context_);
  entry.audience = caller_.audience;
  if (!caller_.member.empty()) entry.acting_member = domain::ResourceName(pool_, "members", caller_.member);
  entry.pool = pool_;
  entry.resource = resource_;
  entry.code = CodeName(status.code());
  if (!status.ok()) entry.reason = ReasonName(status);
  environment_.audit->Record(std::move(entry));
}

grpc::ServerUnaryReactor* Call::Reactor() {
  if (reactor_ == nullptr) reactor_ = context_->DefaultReactor();
  return reactor_;
}

grpc::ServerUnaryReactor* Call::Finish(const absl::Status& status) {
  Ended(status);
  grpc::ServerUnaryReactor* reactor = Reactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

absl::Status Call::StillWanted() const {
  if (context_->IsCancelled()) return domain::MakeError(ErrorReason::kCallCancelled, "the caller cancelled the call");
  if (absl::Now() > deadline())
    return domain::MakeError(ErrorReason::kDeadlinePassed, "the deadline passed before the answer was ready");
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* Call::Read(std::function<absl::Status(application::RecordReader&)> read) {
  if (!error_.ok()) return Finish(error_);
  grpc::ServerUnaryReactor* reactor = Reactor();
  const auto queued = environment_.reads.Submit([call = shared_from_this(), read = std::move(read)] {
    if (auto status = call->StillWanted(); !status.ok()) {
      call->Finish(status);
      return;
    }
    absl::Status status;
    {
      auto reader = call->environment_.store.Read();
      status = reader.ok() ? read(**reader) : reader.status();
    }
    call->Finish(status);
  });
  if (!queued.ok()) return Finish(queued);
  return reactor;
}

grpc::ServerUnaryReactor* Call::Write(const std::string& pool, std::vector<application::RecordKey> reads,
                                      std::function<absl::Status(application::WriteTransaction&, absl::Time)> write,
                                      bool validate_only) {
  if (!error_.ok()) return Finish(error_);
  grpc::ServerUnaryReactor* reactor = Reactor();
  application::WriteJob job;
  job.pool = pool;
  job.reads = std::move(reads);
  job.run = std::move(write);
  job.validate_only = validate_only;
  job.deadline = deadline();
  job.cancelled = [call = shared_from_this()] { return call->context_->IsCancelled(); };
  job.done = [call = shared_from_this()](const absl::Status& status) { call->Finish(status); };
  if (auto queued = environment_.writes.Submit(std::move(job)); !queued.ok()) return Finish(queued);
  return reactor;
}

std::optional<absl::Status> Call::RevisionReached(const std::string& pool, const std::string& token) const {
  if (token.empty()) return absl::OkStatus();
  const auto revision = domain::ParseRevisionToken(token);
  if (!revision || revision->history != environment_.store.history()) {
    return domain::MakeError(ErrorReason::kRevisionOfAnotherHistory,
                             "min_revision is not a revision of this store, which may have been restored: drop the "
                             "token and read without it");
  }
  const base::RcuReadGuard guard;
  const index::View* view = environment_.pools.Find(pool);
  if (view != nullptr && view->revision >= revision->number) return absl::OkStatus();
  environment_.follower.Nudge();  // another replica wrote it: the store is asked now, whatever the feed does
  return std::nullopt;
}

absl::Time Call::RevisionDeadline(absl::Duration wait) const {
  const CallLimits& limits = environment_.limits;
  if (wait <= absl::ZeroDuration()) wait = limits.default_revision_wait;
  return std::min(deadline(), absl::Now() + std::min(wait, limits.max_revision_wait));
}

grpc::ServerUnaryReactor* Call::AtRevision(const std::string& pool, const std::string& token, absl::Duration wait,
                                           std::function<absl::Status()> then) {
  if (!error_.ok()) return Finish(error_);
  grpc::ServerUnaryReactor* reactor = Reactor();
  PollRevision(pool, token, RevisionDeadline(wait), std::move(then));
  return reactor;
}

void Call::PollRevision(const std::string& pool, const std::string& token, absl::Time until,
                        std::function<absl::Status()> then) {
  if (const auto reached = RevisionReached(pool, token)) {
    Finish(reached->ok() ? then() : *reached);
    return;
  }
  if (context_->IsCancelled()) {
    Finish(StillWanted());
    return;
  }
  if (absl::Now() > until) {
    Finish(domain::MakeError(ErrorReason::kRevisionNotReached,
                             "this replica has not reached min_revision yet: try again", absl::Milliseconds(50)));
    return;
  }
  auto alarm = std::make_shared<grpc::Alarm>();
  alarm->Set(absl::ToChronoTime(absl::Now() + kRevisionPoll),
             [call = shared_from_this(), alarm, pool, token, until, then = std::move(then)](bool) mutable {
               const auto fired = std::move(alarm);  // it holds this function, which must not hold it for ever
               call->PollRevision(pool, token, until, std::move(then));
             });
}

void ValidateRequestId(const std::string& request_id, domain::Violations& violations) {
  const auto size = static_cast<int>(request_id.size());
  if (size < domain::kMinRequestIdBytes || size > domain::kMaxRequestIdBytes) {
    violations.Add("request_id", absl::StrCat(domain::Quoted(request_id), " has ", size, " characters: give ",
                                              domain::kMinRequestIdBytes, " to ", domain::kMaxRequestIdBytes,
                                              ", for example a UUID, the same one for every retry of this request"));
  }
}

int PageSize(int asked, domain::Violations& violations) {
  if (asked < 0 || asked > domain::kMaxPageSize) {
    violations.Add("page_size", absl::StrCat(asked, " is out of range: give 1 to ", domain::kMaxPageSize, ", or 0 for ",
                                             domain::kDefaultPageSize));
  }
  return asked == 0 ? domain::kDefaultPageSize : asked;
}

}  // namespace warmline::api
