#include "bench/rpc_load.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>

#include "codec/resources.h"

namespace warmline::bench {
namespace {

namespace pb = warmline::v1;

constexpr int kNeeds = 2'000;

grpc::ByteBuffer BufferOf(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

Result Load(const Target& target, int in_flight, double seconds) {
  struct Pending {
    grpc::ClientContext context;
    grpc::ByteBuffer reply;
    grpc::Status status;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    std::int64_t began_ns = 0;
  };
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel = grpc::CreateCustomChannel(target.address, grpc::InsecureChannelCredentials(), arguments);
  channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  std::size_t next = 0;
  const auto start = [&] {
    auto* call = new Pending;
    if (!target.token.empty()) call->context.AddMetadata("authorization", "Bearer " + target.token);
    call->began_ns = absl::GetCurrentTimeNanos();
    call->reader =
        stub.PrepareUnaryCall(&call->context, target.method, target.requests[next++ % target.requests.size()], &queue);
    call->reader->StartCall();
    call->reader->Finish(&call->reply, &call->status, call);
  };
  Result result;
  const std::int64_t began_ns = absl::GetCurrentTimeNanos();
  const std::int64_t until_ns = began_ns + static_cast<std::int64_t>(seconds * 1e9);
  for (int i = 0; i < in_flight; ++i) start();
  int under_way = in_flight;
  void* tag = nullptr;
  bool ok = false;
  while (under_way > 0 && queue.Next(&tag, &ok)) {
    const std::unique_ptr<Pending> call(static_cast<Pending*>(tag));
    result.latency.Add(MicrosecondsSince(call->began_ns));
    result.failed += call->status.ok() ? 0 : 1;
    result.reply_bytes += static_cast<double>(call->reply.Length());
    --under_way;
    if (absl::GetCurrentTimeNanos() >= until_ns) continue;
    start();
    ++under_way;
  }
  const auto calls = static_cast<double>(result.latency.size());
  result.calls_per_second = calls / (MicrosecondsSince(began_ns) / 1e6);
  result.reply_bytes /= calls;
  return result;
}

bool Import(const testing::ServeProcess& server, const simulation::Community& community, std::int64_t helpers) {
  const auto channel = server.Connect();
  pb::Actor actor;
  actor.set_audience(pb::OPERATOR);
  {
    pb::CreatePoolRequest request;
    *request.mutable_actor() = actor;
    request.mutable_pool()->set_name("pools/bench");
    request.mutable_pool()->set_display_name("Bench");
    request.set_request_id("bench-create-pool");
    pb::WritePoolResponse pool;
    if (!pb::PoolService::NewStub(channel)->CreatePool(server.Context().get(), request, &pool).ok()) return false;
  }
  const auto context = server.Context(1'800'000);
  pb::ImportResponse response;
  const auto stub = pb::MemberService::NewStub(channel);
  const auto writer = stub->Import(context.get(), &response);
  pb::ImportRequest request;
  *request.mutable_actor() = actor;
  request.set_parent("pools/bench");
  request.set_vouch(true);
  for (std::int64_t i = 0; i < helpers; ++i) {
    *request.add_rows()->mutable_member() = codec::ToProto("bench", community.HelperAt(i));
    if (request.rows_size() < 500 && i + 1 < helpers) continue;
    if (!writer->Write(request)) break;
    request.Clear();
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  if (!status.ok() || response.imported() != helpers) {
    std::fprintf(stderr, "bench_rpc: imported %lld of %lld: %s\n", static_cast<long long>(response.imported()),
                 static_cast<long long>(helpers), status.error_message().c_str());
    return false;
  }
  return true;
}

Target MatchTarget(const testing::ServeProcess& server, const simulation::Community& community) {
  Target target;
  target.address = "127.0.0.1:" + std::to_string(server.port());
  target.method = "/warmline.v1.MatchService/Match";
  target.token = server.token();
  for (int i = 0; i < kNeeds; ++i) {
    pb::MatchRequest request;
    request.mutable_actor()->set_audience(pb::OPERATOR);
    request.set_parent("pools/bench");
    *request.mutable_inline_need() = codec::ToProto("bench", community.NeedAt(i));
    request.mutable_inline_need()->clear_name();
    request.mutable_inline_need()->clear_create_time();
    request.mutable_inline_need()->clear_etag();
    request.mutable_inline_need()->clear_state();
    target.requests.push_back(BufferOf(request));
  }
  return target;
}

}  // namespace warmline::bench
