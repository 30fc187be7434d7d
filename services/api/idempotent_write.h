// Writes that may be retried safely: the reply is kept in the same transaction as the write, under the caller's request
// id.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <memory>
#include <string>
#include <utility>

#include "api/call.h"
#include "base/hash.h"

namespace warmline::api {

// A stable hash of a request's content: serialised in the order of fields and map keys.
template <typename Request>
[[nodiscard]] std::uint64_t Fingerprint(const Request& request) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return base::Hash64(request.GetTypeName() + "\n" + bytes);
}

// Runs `write(tx, now, &subject)`, which fills the response, once per request id; a dry run keeps nothing, its request
// id neither.
template <typename Request, typename Response, typename Write>
grpc::ServerUnaryReactor* WriteOnce(const std::shared_ptr<Call>& call, const std::string& pool,
                                    std::vector<application::RecordKey> reads, const Request* request,
                                    Response* response, Write write) {
  domain::Violations violations;
  ValidateRequestId(request->request_id(), violations);
  call->SetError(violations.ToStatus());
  reads.push_back({application::RecordKey::Kind::kReply, pool, request->request_id(), ""});
  return call->Write(
      pool, std::move(reads),
      [request, response, pool, write = std::move(write)](application::WriteTransaction& tx,
                                                          absl::Time now) -> absl::Status {
        if (request->validate_only()) {
          std::string subject;
          return write(tx, now, &subject);
        }
        std::string reply;
        auto status = application::RunOnce(tx, pool, request->request_id(), Fingerprint(*request), now, &reply,
                                           [&](std::string* subject) -> absl::Status {
                                             if (auto written = write(tx, now, subject); !written.ok()) return written;
                                             reply = response->SerializeAsString();
                                             return absl::OkStatus();
                                           });
        if (status.ok()) response->ParseFromString(reply);
        return status;
      },
      request->validate_only());
}

}  // namespace warmline::api
