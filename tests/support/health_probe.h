// Asks the standard health service, without its generated code: messages of one field each. One thread.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>

namespace warmline::testing {

// grpc.health.v1.HealthCheckResponse.status: 1 SERVING, 2 NOT_SERVING; 0 where the service is not known or nobody
// answers.
[[nodiscard]] inline int ProbeHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service) {
  std::string bytes;
  if (!service.empty()) bytes = std::string("\x0a") + static_cast<char>(service.size()) + service;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer reply;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(channel);
  auto reader = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  reader->StartCall();
  grpc::Status status;
  reader->Finish(&reply, &status, &context);
  void* tag = nullptr;
  bool ok = false;
  if (!queue.Next(&tag, &ok) || !status.ok()) return 0;
  grpc::Slice answer;
  if (!reply.DumpToSingleSlice(&answer).ok() || answer.size() != 2 || answer.begin()[0] != 0x08) return 0;
  return answer.begin()[1];
}

}  // namespace warmline::testing
