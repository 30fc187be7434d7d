#include "api/assignment_handlers.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "api/assignment_messages.h"
#include "api/errors.h"
#include "api/idempotent_write.h"
#include "codec/resources.h"
#include "domain/names.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

// Messages that wait for a slow client; the work waits with them.
constexpr std::size_t kMaxWaiting = 64;
constexpr std::chrono::milliseconds kLookUp{100};

// The work is done on a thread that may wait; what it says waits here to be written, one message at a time. Both hold
// the channel, so that whoever comes last may still unlock it.
class AssignReactor final : public grpc::ServerWriteReactor<pb::AssignResponse> {
 public:
  AssignReactor(Environment& environment, grpc::CallbackServerContext* context, const pb::AssignRequest* request)
      : environment_(environment),
        request_(request),
        call_(Call::Start(environment, context, "warmline.v1.AssignmentService/Assign")) {
    const std::string pool = call_->PoolTarget(request->parent(), "parent").pool;
    if (call_->Authorize(request->actor(), pool)) {
      domain::Violations violations;
      wish_ = AssignWishOf(pool, *request, violations);
      call_->SetError(application::RequireOperator(call_->caller(), "assigning a cohort"));
      call_->SetError(violations.ToStatus());
    }
    if (call_->error().ok()) {
      call_->SetError(environment.long_work.Submit(call_->Order(admission::WorkClass::kCohort),
                                                   [this](const absl::Status& admitted) { Work(admitted); }));
    }
    if (!call_->error().ok()) End(call_->error());
  }

  void OnWriteDone(bool ok) override {
    const auto channel = channel_;
    const std::lock_guard lock(channel->mutex);
    channel->messages.pop_front();
    if (!ok) {
      channel->broken = true;
      channel->messages.clear();
    }
    channel->written.notify_one();
    if (!channel->messages.empty()) {
      StartWrite(&channel->messages.front());
    } else if (channel->end) {
      Finish(ToGrpc(*channel->end));
    }
  }

  void OnDone() override { delete this; }

 private:
  struct Channel {
    std::mutex mutex;
    std::condition_variable written;
    std::deque<pb::AssignResponse> messages;  // the first one is being written
    bool broken = false;
    std::optional<absl::Status> end;
  };

  void Say(pb::AssignResponse message, bool only_if_idle = false) {
    std::unique_lock lock(channel_->mutex);
    if (only_if_idle && !channel_->messages.empty()) return;
    while (channel_->messages.size() >= kMaxWaiting && call_->StillWanted().ok())
      channel_->written.wait_for(lock, kLookUp);
    if (channel_->broken) return;
    channel_->messages.push_back(std::move(message));
    if (channel_->messages.size() == 1) StartWrite(&channel_->messages.front());
  }

  // The last thing that happens here: afterwards the reactor may be gone.
  void End(const absl::Status& status) {
    call_->Ended(status);
    const auto channel = channel_;
    const std::lock_guard lock(channel->mutex);
    channel->end = status;
    if (channel->messages.empty()) Finish(ToGrpc(status));
  }

  void Work(const absl::Status& admitted) { End(admitted.ok() ? Assign() : admitted); }

  absl::Status Assign() {
    if (!request_->validate_only()) {
      auto known = KnownReply();
      if (!known.ok()) return known.status();
      if (known->has_value()) {
        Tell(**known);
        return absl::OkStatus();
      }
    }
    auto plan = application::PlanCohort(
        environment_.store, environment_.pools, call_->caller(), wish_.pool, wish_.needs, wish_.options,
        [this] { return call_->StillWanted(); },
        [this](double share, int round) {
          pb::AssignResponse message;
          message.mutable_progress()->set_share(share);
          message.mutable_progress()->set_round(round);
          Say(std::move(message), true);
        });
    if (!plan.ok()) return plan.status();
    auto reply = AssignReplyOf(wish_, *plan, HelpersOfPool());
    if (!request_->validate_only()) {
      if (auto status = Ask(reply); !status.ok()) return status;
    }
    Tell(reply);
    if (request_->proof()) {
      TellProof(wish_, *plan, [this](pb::AssignProof proof) {
        pb::AssignResponse message;
        *message.mutable_proof() = std::move(proof);
        Say(std::move(message));
        return call_->StillWanted().ok();
      });
    }
    return call_->StillWanted();
  }

  [[nodiscard]] std::int64_t HelpersOfPool() const {
    const auto state = environment_.pools.State(wish_.pool);
    return state.ok() ? state->helpers : 0;
  }

  void Tell(const warmline::store::v1::AssignReply& reply) {
    pb::AssignResponse summary;
    *summary.mutable_summary() = reply.summary();
    Say(std::move(summary));
    pb::AssignResponse message;
    for (const pb::AssignedPair& pair : reply.pairs().pairs()) {
      *message.mutable_pairs()->add_pairs() = pair;
      if (message.pairs().pairs_size() < kPairsAMessage) continue;
      Say(std::move(message));
      message = {};
    }
    if (message.has_pairs()) Say(std::move(message));
  }

  // Runs on the writing thread, and waits for it.
  absl::Status Write(std::function<absl::Status(application::WriteTransaction&, absl::Time)> run) {
    application::WriteJob job;
    job.pool = wish_.pool;
    job.run = std::move(run);
    job.order = call_->Order(admission::WorkClass::kWriteRows);
    return environment_.writes.Run(std::move(job));
  }

  // What an earlier call with the same request id did.
  absl::StatusOr<std::optional<warmline::store::v1::AssignReply>> KnownReply() {
    std::optional<warmline::store::v1::AssignReply> known;
    auto status = Write([&](application::WriteTransaction& tx, absl::Time) -> absl::Status {
      auto stored = tx.GetReply(wish_.pool, request_->request_id());
      if (!stored.ok() || !stored->has_value()) return stored.status();
      if ((*stored)->fingerprint != Fingerprint(*request_)) {
        return domain::MakeError(domain::ErrorReason::kRequestIdReused,
                                 "request_id was used for another request: make a new one for each request");
      }
      known.emplace().ParseFromString((*stored)->reply);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    return known;
  }

  absl::Status Ask(warmline::store::v1::AssignReply& reply) {
    std::vector<application::AskPlan> asks;
    std::vector<pb::AssignedPair*> pair_of;
    const absl::Time now = environment_.clock.Now();
    for (pb::AssignedPair& pair : *reply.mutable_pairs()->mutable_pairs()) {
      if (pair.place() != pb::AssignedPair::MATCHED && pair.place() != pb::AssignedPair::FIXED) continue;
      domain::Violations none;
      const std::string need = codec::IdOf(wish_.pool, "needs", pair.need(), "need", none);
      const std::string helper = codec::IdOf(wish_.pool, "members", pair.helper(), "helper", none);
      auto ask = application::PlanAsk(environment_.pools, call_->caller(), wish_.pool, {need, {}},
                                      {{helper, false, "", "", false}}, request_->message(), now);
      if (!ask.ok()) return ask.status();
      asks.push_back(*std::move(ask));
      pair_of.push_back(&pair);
    }
    return Write([&](application::WriteTransaction& tx, absl::Time time) {
      std::string bytes;
      return application::RunOnce(
          tx, wish_.pool, request_->request_id(), Fingerprint(*request_), time, &bytes,
          [&](std::string*) -> absl::Status {
            auto made = application::AskCohort(tx, wish_.pool, asks, request_->request_id(), time);
            if (!made.ok()) return made.status();
            for (std::size_t i = 0; i < made->size(); ++i) {
              pair_of[i]->set_introduction(domain::ResourceName(wish_.pool, "introductions", (*made)[i].id));
              reply.mutable_summary()->set_revision(call_->Token((*made)[i].revision));
            }
            bytes = reply.SerializeAsString();
            return absl::OkStatus();
          });
    });
  }

  Environment& environment_;
  const pb::AssignRequest* request_;
  std::shared_ptr<Call> call_;
  AssignWish wish_;
  const std::shared_ptr<Channel> channel_ = std::make_shared<Channel>();
};

}  // namespace

grpc::ServerWriteReactor<pb::AssignResponse>* AssignmentHandlers::Assign(grpc::CallbackServerContext* context,
                                                                         const pb::AssignRequest* request) {
  return new AssignReactor(environment_, context, request);
}

}  // namespace warmline::api
