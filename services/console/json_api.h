// The reads of the API as JSON over HTTP: the unary calls that change nothing (`idempotency_level` in the proto), with
// protobuf's JSON and the Connect protocol's form of paths, timeouts and errors (connectrpc.com/docs/protocol). Each is
// a call of this process to its own gRPC server, so tokens, roles, limits, errors and metrics are the same.
// Thread-safety: all calls from any thread.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/channel.h>

#include <atomic>
#include <memory>
#include <string>

namespace warmline::console {

// More at once are refused, so that probes and scrapes always find a thread.
inline constexpr int kMaxJsonCalls = 4;
inline constexpr absl::Duration kDefaultJsonTimeout = absl::Seconds(10);
inline constexpr absl::Duration kMaxJsonTimeout = absl::Seconds(60);

struct JsonCall {
  std::string service;  // "warmline.v1.MatchService"
  std::string method;
  std::string body;           // JSON of the request message
  std::string authorization;  // the header, as it came
  std::string peer;
  absl::Duration timeout = kDefaultJsonTimeout;
};

struct JsonReply {
  int http_status = 200;
  std::string body;  // JSON: the response message, or {"code", "message", "details"}
};

class JsonApi {
 public:
  explicit JsonApi(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}
  // Waits for the answer.
  [[nodiscard]] JsonReply Call(const JsonCall& call);

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  std::atomic<int> under_way_{0};
};

}  // namespace warmline::console
