#include "console/json_api.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <array>
#include <future>
#include <nlohmann/json.hpp>

#include "application/audit.h"
#include "google/rpc/status.pb.h"

namespace warmline::console {
namespace {

using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;
using Json = nlohmann::json;

// How Connect names a code, and its HTTP status; by number.
struct Code {
  const char* name;
  int http_status;
};
constexpr std::array<Code, 17> kCodes = {{{"ok", 200},
                                          {"canceled", 499},
                                          {"unknown", 500},
                                          {"invalid_argument", 400},
                                          {"deadline_exceeded", 504},
                                          {"not_found", 404},
                                          {"already_exists", 409},
                                          {"permission_denied", 403},
                                          {"resource_exhausted", 429},
                                          {"failed_precondition", 400},
                                          {"aborted", 409},
                                          {"out_of_range", 400},
                                          {"unimplemented", 501},
                                          {"internal", 500},
                                          {"unavailable", 503},
                                          {"data_loss", 500},
                                          {"unauthenticated", 401}}};

const Code& CodeOf(int number) {
  return kCodes[number >= 0 && number < static_cast<int>(kCodes.size()) ? static_cast<std::size_t>(number) : 2];
}

JsonReply Error(grpc::StatusCode code, const std::string& message, Json details = Json::array()) {
  const Code& known = CodeOf(code);
  Json body = {{"code", known.name}, {"message", message}};
  if (!details.empty()) body["details"] = std::move(details);
  return {known.http_status, body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

JsonReply Failed(const grpc::Status& status) {
  google::rpc::Status parsed;
  Json details = Json::array();
  if (parsed.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : parsed.details()) {
      const std::string type = detail.type_url().substr(detail.type_url().rfind('/') + 1);
      std::string value = absl::Base64Escape(detail.value());
      value.erase(value.find_last_not_of('=') + 1);  // Connect leaves the padding out
      Json entry = {{"type", type}, {"value", value}};
      std::string debug;
      if (google::protobuf::util::MessageToJsonString(detail, &debug).ok())
        entry["debug"] = Json::parse(debug, nullptr, /*allow_exceptions=*/false);
      details.push_back(std::move(entry));
    }
  }
  return Error(status.error_code(), status.error_message(), std::move(details));
}

const MethodDescriptor* FindRead(const JsonCall& call) {
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
      absl::StrCat(call.service, ".", call.method));
  const bool read = found != nullptr && !found->client_streaming() && !found->server_streaming() &&
                    found->options().idempotency_level() == google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
  return read ? found : nullptr;
}

std::unique_ptr<Message> NewMessage(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// Counts one call under way for as long as it lives.
class Place {
 public:
  explicit Place(std::atomic<int>& count) : count_(count), taken_(count.fetch_add(1) < kMaxJsonCalls) {}
  ~Place() { count_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  std::atomic<int>& count_;
  const bool taken_;
};

}  // namespace

JsonReply JsonApi::Call(const JsonCall& call) {
  const Place place(under_way_);
  if (!place.taken()) {
    return Error(
        grpc::StatusCode::RESOURCE_EXHAUSTED,
        absl::StrCat(kMaxJsonCalls, " calls are under way on this port already: try again, or call over gRPC"));
  }
  const MethodDescriptor* method = FindRead(call);
  if (method == nullptr) {
    return Error(grpc::StatusCode::UNIMPLEMENTED,
                 absl::StrCat(call.service, "/", call.method,
                              " is no read of this API: what changes something, and streams, are called over gRPC"));
  }
  // gRPC ends the process over metadata that HTTP lets through.
  if (!std::all_of(call.authorization.begin(), call.authorization.end(), [](char c) { return c >= ' ' && c <= '~'; }))
    return Error(grpc::StatusCode::UNAUTHENTICATED, "the token has characters that no token has: check it");
  const auto message = NewMessage(method->input_type());
  if (const auto parsed = google::protobuf::util::JsonStringToMessage(call.body, message.get()); !parsed.ok()) {
    return Error(grpc::StatusCode::INVALID_ARGUMENT,
                 absl::StrCat("the body is no JSON of ", method->input_type()->full_name(), ": ",
                              std::string(parsed.message().data(), parsed.message().size())));
  }
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + std::min(call.timeout, kMaxJsonTimeout)));
  context.AddMetadata(application::kForwardedPeer, call.peer);
  if (!call.authorization.empty()) context.AddMetadata("authorization", call.authorization);
  const grpc::Slice bytes(message->SerializeAsString());
  const grpc::ByteBuffer request(&bytes, 1);
  grpc::ByteBuffer response;
  // Shared with the callback, which may still be on its way out when the answer is here.
  const auto ended = std::make_shared<std::promise<grpc::Status>>();
  grpc::GenericStub(channel_).UnaryCall(&context, absl::StrCat("/", call.service, "/", call.method),
                                        grpc::StubOptions(), &request, &response,
                                        [ended](const grpc::Status& status) { ended->set_value(status); });
  const grpc::Status status = ended->get_future().get();
  if (!status.ok()) return Failed(status);
  const auto answer = NewMessage(method->output_type());
  grpc::Slice slice;
  JsonReply reply;
  if (!response.DumpToSingleSlice(&slice).ok() ||
      !answer->ParseFromArray(slice.begin(), static_cast<int>(slice.size())) ||
      !google::protobuf::util::MessageToJsonString(*answer, &reply.body).ok())
    return Error(grpc::StatusCode::INTERNAL, "the answer could not be written as JSON");
  return reply;
}

}  // namespace warmline::console
