#include "api/call.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/alarm.h>

#include <algorithm>
#include <array>

#include "api/errors.h"
#include "api/identify.h"
#include "domain/limits.h"
#include "domain/names.h"

namespace warmline::api {
namespace {

using domain::ErrorReason;

// gRFC A6.
constexpr char kRetryPushback[] = "grpc-retry-pushback-ms";

absl::Status RateExceeded(const application::Grant& grant, absl::Duration wait) {
  return domain::MakeError(ErrorReason::kCallRateExceeded,
                           absl::StrCat("the token may make ", grant.calls_per_second,
                                        " calls a second: slow down, or have its calls_per_second raised"),
                           std::max(wait, absl::Milliseconds(1)));
}

absl::Status CheckRole(const application::GrantInForce& grant, application::CallRoles roles, const char* method) {
  if ((grant.grant.roles & roles) == 0) {
    return domain::MakeError(ErrorReason::kRoleNotAllowed,
                             absl::StrCat("the token's roles (", application::RoleNames(grant.grant.roles),
                                          ") may not call ", method, ": it takes ", application::RoleNames(roles)));
  }
  return absl::OkStatus();
}

}  // namespace

Call::Call(Environment& environment, grpc::CallbackServerContext* context, const char* method)
    : environment_(environment),
      context_(context),
      method_(method),
      traits_(TraitsOf(method)),
      started_(absl::Now()),
      place_(environment.occupancy) {}

std::shared_ptr<Call> Call::Start(Environment& environment, grpc::CallbackServerContext* context, const char* method) {
  std::shared_ptr<Call> call(new Call(environment, context, method));
  call->SetError(call->Admit());
  return call;
}

// In the order of what it costs: a refusal is cheap, whoever calls.
absl::Status Call::Admit() {
  if (auto status = place_.Take(traits_, environment_.limits.places, environment_.metrics); !status.ok()) return status;
  if (started_ > deadline()) {
    environment_.metrics.WorkRefused(admission::RefusalName(admission::Refusal::kDeadlinePassed),
                                     admission::ShareOf(traits_.lane).name);
    return domain::MakeError(ErrorReason::kDeadlinePassed,
                             "the deadline passed before the work began; nothing was done");
  }
  auto grant = Identify(environment_.tokens, environment_.verifier, environment_.clock.Now(), *context_);
  if (!grant.ok()) return grant.status();
  grant_ = *std::move(grant);
  if (auto status = CheckRole(*grant_, traits_.roles, method_); !status.ok()) return status;
  if (auto status = place_.TakeOfToken(grant_, traits_, environment_.limits.places, environment_.metrics); !status.ok())
    return status;
  if (const auto wait = RateWait()) {
    environment_.metrics.WorkRefused("rate", admission::ShareOf(traits_.lane).name);
    return RateExceeded(grant_->grant, *wait);
  }
  // Before the request is even read: what could not be queued is not parsed.
  if (traits_.changes && !traits_.streams) return environment_.writes.Refuses(Order(admission::WorkClass::kWrite));
  return absl::OkStatus();
}

std::optional<absl::Duration> Call::RateWait() const { return grant_->rate.Take(absl::Now()); }

std::shared_ptr<Call> Call::ForRequest() const {
  std::shared_ptr<Call> call(new Call(environment_, context_, method_));
  call->grant_ = grant_;
  call->ended_ = true;  // the stream is counted, not its requests
  return call;
}

admission::WorkOrder Call::Order(admission::WorkClass work_class) const {
  return {.lane = traits_.lane,
          .work_class = work_class,
          .flow = reinterpret_cast<std::uintptr_t>(grant_.get()),
          .deadline = deadline(),
          .patient = traits_.streams};
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
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    // Clients that retry by themselves wait for so long (gRFC A6), and those that do not read details can.
    if (const auto after = domain::RetryAfterOf(status))
      context_->AddTrailingMetadata(kRetryPushback, absl::StrCat(absl::ToInt64Milliseconds(*after)));
  }
  if (environment_.audit != nullptr) Audit(status);
}

void Call::Audit(const absl::Status& status) const {
  const bool refused =
      status.code() == absl::StatusCode::kUnauthenticated || status.code() == absl::StatusCode::kPermissionDenied;
  if (!refused && !traits_.changes) return;
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
  const auto order = Order(traits_.list ? admission::WorkClass::kList : admission::WorkClass::kRead);
  const auto queued = environment_.reads.Submit(
      order, [call = shared_from_this(), read = std::move(read)](const absl::Status& admitted) {
        absl::Status status = admitted.ok() ? call->StillWanted() : admitted;
        if (status.ok()) {
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
  job.order = Order(admission::WorkClass::kWrite);
  job.cancelled = [call = shared_from_this()] { return call->context_->IsCancelled(); };
  job.done = [call = shared_from_this()](const absl::Status& status) { call->Finish(status); };
  if (auto queued = environment_.writes.Submit(std::move(job)); !queued.ok()) return Finish(queued);
  return reactor;
}

std::vector<std::string> Call::TokenScope(const std::string& filter) const {
  const std::string& who = caller_.IsOperator() ? grant_->grant.name : caller_.member;
  return {method_, pool_, application::AudienceName(caller_.audience), who, filter};
}

std::optional<absl::Status> Call::RevisionReached(const std::string& pool, const std::string& token,
                                                  RevisionWait& wait) const {
  if (token.empty()) return absl::OkStatus();
  const auto revision = environment_.revisions.Number(pool, token);
  if (!revision) {
    return domain::MakeError(ErrorReason::kRevisionOfAnotherHistory,
                             "min_revision is not a revision of this pool and store, which may have been restored: "
                             "drop the token and read without it");
  }
  if (environment_.pools.Revision(pool) >= *revision) return absl::OkStatus();
  // Another replica wrote it: the store is asked now, whatever the feed does.
  const std::uint64_t poll = environment_.follower.Nudge();
  if (wait.poll == 0) wait.poll = poll;
  const auto head = environment_.follower.HeadAt(pool, wait.poll);
  if (head && *head < *revision) {
    return domain::MakeError(
        ErrorReason::kRevisionOfAnotherHistory,
        "min_revision is ahead of everything that this store has: it was restored from a copy made "
        "before. Drop the token and read without it");
  }
  return std::nullopt;
}

absl::Time Call::RevisionDeadline(absl::Duration wait) const {
  const CallLimits& limits = environment_.limits;
  if (wait <= absl::ZeroDuration()) wait = limits.default_revision_wait;
  return std::min(deadline(), absl::Now() + std::min(wait, limits.max_revision_wait));
}

grpc::ServerUnaryReactor* Call::Compute(admission::WorkClass work_class, std::function<absl::Status()> work,
                                        bool on_reader) {
  return Continue(
      work_class, [call = this, work = std::move(work)] { call->Finish(work()); }, on_reader);
}

grpc::ServerUnaryReactor* Call::Continue(admission::WorkClass work_class, std::function<void()> next, bool on_reader) {
  if (!error_.ok()) return Finish(error_);
  grpc::ServerUnaryReactor* reactor = Reactor();
  admission::WorkPool& threads = on_reader ? environment_.reads : environment_.matching;
  const auto queued = threads.Submit(Order(work_class),
                                     [call = shared_from_this(), next = std::move(next)](const absl::Status& admitted) {
                                       const absl::Status status = admitted.ok() ? call->StillWanted() : admitted;
                                       if (status.ok()) {
                                         next();
                                       } else {
                                         call->Finish(status);
                                       }
                                     });
  if (!queued.ok()) return Finish(queued);
  return reactor;
}

grpc::ServerUnaryReactor* Call::AtRevision(const std::string& pool, const std::string& token, absl::Duration wait,
                                           admission::WorkClass work_class, std::function<absl::Status()> then,
                                           bool on_reader) {
  if (!error_.ok()) return Finish(error_);
  grpc::ServerUnaryReactor* reactor = Reactor();
  PollRevision(pool, token, {}, RevisionDeadline(wait),
               [this, work_class, then = std::move(then), on_reader] { Compute(work_class, then, on_reader); });
  return reactor;
}

void Call::PollRevision(const std::string& pool, const std::string& token, RevisionWait wait, absl::Time until,
                        std::function<void()> then) {
  if (const auto reached = RevisionReached(pool, token, wait)) {
    if (reached->ok()) {
      then();
    } else {
      Finish(*reached);
    }
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
             [call = shared_from_this(), alarm, pool, token, wait, until, then = std::move(then)](bool) mutable {
               const auto fired = std::move(alarm);  // it holds this function, which must not hold it for ever
               call->PollRevision(pool, token, wait, until, std::move(then));
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
