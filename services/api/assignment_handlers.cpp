#include "api/assignment_handlers.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include "api/errors.h"
#include "api/idempotent_write.h"
#include "application/cohort.h"
#include "codec/resources.h"
#include "domain/limits.h"
#include "domain/names.h"
#include "domain/text.h"
#include "warmline/store/v1/record.pb.h"

namespace warmline::api {

namespace pb = warmline::v1;

namespace {

constexpr int kMaxAssignTopK = 1'000;
constexpr int kMaxAsks = 1'000;
constexpr int kPairsAMessage = 1'000;

struct Wish {
  std::string pool;
  std::vector<std::string> needs;
  application::CohortOptions options;
};

Wish WishOf(const std::string& pool, const pb::AssignRequest& request, domain::Violations& violations) {
  Wish wish;
  wish.pool = pool;
  for (int i = 0; i < request.needs_size(); ++i)
    wish.needs.push_back(codec::IdOf(pool, "needs", request.needs(i), absl::StrCat("needs[", i, "]"), violations));
  wish.options.plan = {!request.best_sum(), request.floor()};
  wish.options.min_score = request.min_score();
  if (request.floor() && request.best_sum()) violations.Add("floor", "is set beside best_sum: choose one of the two");
  if (request.top_k() < 0 || request.top_k() > kMaxAssignTopK) {
    violations.Add("top_k", absl::StrCat(request.top_k(), " is out of range: give 1 to ", kMaxAssignTopK, ", or 0 for ",
                                         application::kDefaultCohortTopK));
  }
  if (request.top_k() > 0) wish.options.top_k = request.top_k();
  if (request.validate_only()) return wish;
  wish.options.max_needs = kMaxAsks;
  domain::CheckText(request.message(), "message", domain::kMaxMessageCharacters, true, true, violations);
  ValidateRequestId(request.request_id(), violations);
  return wish;
}

void SetPair(const std::string& pool, const application::CohortPlan& plan, std::size_t need,
             pb::AssignedPair* message) {
  const domain::Need& n = plan.needs[need];
  const assignment::SeekerReason& reason = plan.reasons[need];
  message->set_need(domain::ResourceName(pool, "needs", n.id));
  message->set_seeker(domain::ResourceName(pool, "members", n.seeker));
  message->set_place(static_cast<pb::AssignedPair::Place>(static_cast<int>(reason.place) + 1));
  if (!reason.second) return;
  const assignment::Pair& second = plan.problem.pairs[static_cast<std::size_t>(reason.second->pair)];
  message->set_second_choice(
      domain::ResourceName(pool, "members", plan.helpers[static_cast<std::size_t>(second.helper)]));
  message->set_second_score(static_cast<std::uint32_t>(second.weight));
  // More than a seeker without anybody weighs, no scores can.
  const std::int64_t bonus = plan.plan.stages.back().problem.bonus;
  const bool costs_a_seeker = bonus > 0 && reason.second->loss >= bonus / 2;
  if (reason.place == assignment::Place::kMatched) message->set_loss(costs_a_seeker ? -1 : reason.second->loss);
}

warmline::store::v1::AssignReply ReplyOf(const std::string& pool, const application::CohortPlan& plan,
                                         std::int64_t helpers_of_pool) {
  warmline::store::v1::AssignReply reply;
  pb::AssignSummary* summary = reply.mutable_summary();
  summary->set_needs(static_cast<std::int64_t>(plan.needs.size()));
  summary->set_matched(plan.plan.seekers);
  summary->set_score_sum(plan.plan.sum);
  if (plan.plan.floor) summary->set_floor(*plan.plan.floor);
  summary->set_proved(plan.proved_for_all);
  summary->set_pairs_looked_at(static_cast<std::int64_t>(plan.problem.pairs.size()));
  summary->set_pairs_possible(static_cast<std::int64_t>(plan.needs.size()) * helpers_of_pool);
  summary->set_rounds(plan.rounds);
  for (std::size_t i = 0; i < plan.needs.size(); ++i) SetPair(pool, plan, i, reply.mutable_pairs()->add_pairs());
  for (const std::int32_t e : plan.plan.chosen) {
    const assignment::Pair& pair = plan.problem.pairs[static_cast<std::size_t>(e)];
    pb::AssignedPair* message = reply.mutable_pairs()->mutable_pairs(pair.seeker);
    message->set_helper(domain::ResourceName(pool, "members", plan.helpers[static_cast<std::size_t>(pair.helper)]));
    message->set_score(static_cast<std::uint32_t>(pair.weight));
  }
  return reply;
}

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
      wish_ = WishOf(pool, *request, violations);
      call_->SetError(application::RequireOperator(call_->caller(), "assigning a cohort"));
      call_->SetError(violations.ToStatus());
    }
    if (call_->error().ok()) call_->SetError(environment.long_work.Submit([this] { Work(); }));
    if (!call_->error().ok()) End(call_->error());
  }

  void OnWriteDone(bool ok) override {
    const auto channel = channel_;
    const std::lock_guard lock(channel->mutex);
    channel->messages.pop_front();
    if (!ok) channel->messages.clear();
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
    std::deque<pb::AssignResponse> messages;  // the first one is being written
    std::optional<absl::Status> end;
  };

  void Say(pb::AssignResponse message, bool only_if_idle = false) {
    const std::lock_guard lock(channel_->mutex);
    if (only_if_idle && !channel_->messages.empty()) return;
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

  void Work() { End(Assign()); }

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
    auto reply = ReplyOf(wish_.pool, *plan, HelpersOfPool());
    if (!request_->validate_only()) {
      if (auto status = Ask(*plan, reply); !status.ok()) return status;
    }
    Tell(reply);
    return absl::OkStatus();
  }

  [[nodiscard]] std::int64_t HelpersOfPool() const {
    const auto state = environment_.pools.State(wish_.pool);
    return state.ok() ? state->helpers : 0;
  }

  void Tell(const warmline::store::v1::AssignReply& reply) {
    pb::AssignResponse summary;
    *summary.mutable_summary() = reply.summary();
    Say(std::move(summary));
    for (int at = 0; at < reply.pairs().pairs_size(); at += kPairsAMessage) {
      pb::AssignResponse message;
      for (int i = at; i < std::min(at + kPairsAMessage, reply.pairs().pairs_size()); ++i)
        *message.mutable_pairs()->add_pairs() = reply.pairs().pairs(i);
      Say(std::move(message));
    }
  }

  // Runs on the writing thread, and waits for it.
  absl::Status Write(std::function<absl::Status(application::WriteTransaction&, absl::Time)> run) {
    application::WriteJob job;
    job.pool = wish_.pool;
    job.run = std::move(run);
    job.deadline = call_->deadline();
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

  absl::Status Ask(const application::CohortPlan& plan, warmline::store::v1::AssignReply& reply) {
    std::vector<application::AskPlan> asks;
    std::vector<int> pair_of;
    const absl::Time now = environment_.clock.Now();
    for (const std::int32_t e : plan.plan.chosen) {
      const assignment::Pair& pair = plan.problem.pairs[static_cast<std::size_t>(e)];
      const std::string& helper = plan.helpers[static_cast<std::size_t>(pair.helper)];
      auto ask = application::PlanAsk(environment_.pools, call_->caller(), wish_.pool,
                                      {plan.needs[static_cast<std::size_t>(pair.seeker)].id, {}},
                                      {{helper, false, "", "", false}}, request_->message(), now);
      if (!ask.ok()) return ask.status();
      asks.push_back(*std::move(ask));
      pair_of.push_back(pair.seeker);
    }
    return Write([&](application::WriteTransaction& tx, absl::Time time) {
      std::string bytes;
      return application::RunOnce(
          tx, wish_.pool, request_->request_id(), Fingerprint(*request_), time, &bytes,
          [&](std::string*) -> absl::Status {
            auto made = application::AskCohort(tx, wish_.pool, asks, request_->request_id(), time);
            if (!made.ok()) return made.status();
            for (std::size_t i = 0; i < made->size(); ++i) {
              reply.mutable_pairs()
                  ->mutable_pairs(pair_of[i])
                  ->set_introduction(domain::ResourceName(wish_.pool, "introductions", (*made)[i].id));
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
  Wish wish_;
  const std::shared_ptr<Channel> channel_ = std::make_shared<Channel>();
};

}  // namespace

grpc::ServerWriteReactor<pb::AssignResponse>* AssignmentHandlers::Assign(grpc::CallbackServerContext* context,
                                                                         const pb::AssignRequest* request) {
  return new AssignReactor(environment_, context, request);
}

}  // namespace warmline::api
