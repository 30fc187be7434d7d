#include "server/call_watch.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <grpcpp/server_context.h>
#include <sys/eventfd.h>

#include "api/errors.h"
#include "domain/error.h"

namespace warmline::server {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::ServerRpcInfo;

constexpr char kOurMethods[] = "/warmline.v1.";

// Whether a call that ended with this code had an accepted token. Handlers look at the token before anything else, so a
// caller without one sees none of these; the others also come from limits and from gRPC.
bool MeansKnown(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
      return true;
    default:
      return false;
  }
}

grpc::Status Unparsable() {
  domain::Violations violations;
  violations.Add(
      "request",
      "is missing, or cannot be parsed as the message of this call: send the message of the published proto, "
      "with text in UTF-8");
  return api::ToGrpc(violations.ToStatus());
}

class WatchedCall final : public grpc::experimental::Interceptor {
 public:
  WatchedCall(std::shared_ptr<ConnectionProgress> progress, const ServerRpcInfo& info, application::Metrics& metrics)
      : progress_(std::move(progress)),
        metrics_(metrics),
        method_(info.method() + 1),
        ours_(absl::StartsWith(info.method(), kOurMethods)),
        one_request_(info.type() == ServerRpcInfo::Type::UNARY ||
                     info.type() == ServerRpcInfo::Type::SERVER_STREAMING) {
    if (progress_ == nullptr) return;
    progress_->last_call_ms = absl::ToUnixMillis(absl::Now());
    ++Open();
  }
  ~WatchedCall() override { End(); }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    // gRPC has the request of such a call whole before it calls a handler: there is none when it could not be parsed.
    if (one_request_ && methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE))
      unparsable_ = methods->GetRecvMessage() == nullptr;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_MESSAGE)) Know();
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      if (unparsable_) {
        methods->ModifySendStatus(Unparsable());
        metrics_.CallEnded(method_, "INVALID_ARGUMENT", absl::ZeroDuration());
        metrics_.CallFailed(method_, "INVALID_FIELDS");
      } else if (MeansKnown(methods->GetSendStatus().error_code())) {
        Know();
      }
      if (!known_) Refused();
      End();
    }
    methods->Proceed();
  }

 private:
  void Know() {
    if (!ours_) return;
    known_ = true;
    if (progress_ != nullptr) progress_->known = true;
  }
  void Refused() {
    if (progress_ == nullptr) return;
    // A flood of resets makes thousands in the time between two looks of the gate.
    if (++progress_->refused_calls % (kRefusedCalls + 1) == 0) eventfd_write(progress_->wake, 1);
  }
  void End() {
    if (progress_ == nullptr) return;
    progress_->last_call_ms = absl::ToUnixMillis(absl::Now());
    --Open();
    progress_ = nullptr;
  }
  std::atomic<int>& Open() { return ours_ ? progress_->open_calls : progress_->open_probes; }

  std::shared_ptr<ConnectionProgress> progress_;
  application::Metrics& metrics_;
  const char* method_;
  const bool ours_;
  const bool one_request_;
  bool unparsable_ = false;
  bool known_ = false;
};

}  // namespace

grpc::experimental::Interceptor* CallWatch::CreateServerInterceptor(ServerRpcInfo* info) {
  return new WatchedCall(find_(info->server_context()->peer()), *info, metrics_);
}

}  // namespace warmline::server
