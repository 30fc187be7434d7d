#include "bench/open_loop.h"

#include <absl/time/clock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <memory>
#include <random>

namespace warmline::bench {
namespace {

struct Pending {
  grpc::ClientContext context;
  grpc::ByteBuffer reply;
  grpc::Status status;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  absl::Time due;
};

class Generator {
 public:
  Generator(const std::vector<Target>& targets, const OpenLoop& load) : targets_(targets), load_(load) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    for (int i = 0; i < load.connections; ++i) {
      channels_.push_back(
          grpc::CreateCustomChannel(targets.front().address, grpc::InsecureChannelCredentials(), arguments));
      channels_.back()->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
      stubs_.push_back(std::make_unique<grpc::GenericStub>(channels_.back()));
    }
  }

  Outcome Run() {
    std::mt19937_64 random(load_.seed);
    std::exponential_distribution<double> gap_seconds(load_.per_second);
    const absl::Time began = absl::Now();
    const absl::Time until = began + load_.length;
    outcome_.windows.resize(static_cast<std::size_t>(load_.length / kWindow) + 1);
    began_ = began;
    absl::Time due = began;
    std::size_t sent = 0;
    while ((due += absl::Seconds(gap_seconds(random))) < until) {
      Collect(due);
      outcome_.generator_lag_ms = std::max(outcome_.generator_lag_ms, absl::ToDoubleMilliseconds(absl::Now() - due));
      ++WindowOf(due).sent;
      Send(due, sent++);
    }
    while (under_way_ > 0) Collect(absl::Now() + absl::Seconds(1));
    const double seconds = absl::ToDoubleSeconds(load_.length);
    outcome_.offered_per_second = static_cast<double>(sent) / seconds;
    for (const Outcome::Window& window : outcome_.windows) outcome_.goodput_per_second += window.good / seconds;
    return std::move(outcome_);
  }

 private:
  void Send(absl::Time due, std::size_t number) {
    const Target& target = targets_[number % targets_.size()];
    auto* call = new Pending;
    call->due = due;
    call->context.AddMetadata("authorization", "Bearer " + target.token);
    call->context.set_deadline(absl::ToChronoTime(due + load_.deadline));
    call->reader = stubs_[number % stubs_.size()]->PrepareUnaryCall(
        &call->context, target.method, target.requests[number / targets_.size() % target.requests.size()], &queue_);
    call->reader->StartCall();
    call->reader->Finish(&call->reply, &call->status, call);
    ++under_way_;
  }

  // Takes what has ended, until it is time to send the next call.
  void Collect(absl::Time until) {
    void* tag = nullptr;
    bool ok = false;
    while (under_way_ > 0) {
      const auto state = queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(until));
      if (state != grpc::CompletionQueue::GOT_EVENT) return;
      const std::unique_ptr<Pending> call(static_cast<Pending*>(tag));
      Count(*call, absl::Now());
      --under_way_;
    }
    const absl::Duration rest = until - absl::Now();
    if (rest > absl::ZeroDuration()) absl::SleepFor(rest);
  }

  Outcome::Window& WindowOf(absl::Time due) {
    return outcome_.windows[static_cast<std::size_t>((due - began_) / kWindow)];
  }

  void Count(const Pending& call, absl::Time now) {
    const double us = absl::ToDoubleMicroseconds(now - call.due);
    switch (call.status.error_code()) {
      case grpc::StatusCode::OK: {
        outcome_.admitted_us.Add(us);
        if (now - call.due <= load_.deadline) ++WindowOf(call.due).good;
        break;
      }
      case grpc::StatusCode::RESOURCE_EXHAUSTED:
        outcome_.refused_us.Add(us);
        break;
      case grpc::StatusCode::DEADLINE_EXCEEDED:
        ++outcome_.late;
        break;
      default:
        ++outcome_.other;
    }
  }

  const std::vector<Target>& targets_;
  const OpenLoop load_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  grpc::CompletionQueue queue_;
  std::int64_t under_way_ = 0;
  absl::Time began_;
  Outcome outcome_;
};

}  // namespace

Outcome RunOpenLoop(const std::vector<Target>& targets, const OpenLoop& load) { return Generator(targets, load).Run(); }

}  // namespace warmline::bench
