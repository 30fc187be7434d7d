// Reads of a stream. When a message cannot be parsed, gRPC tells the handler just what it tells at the end of the
// stream: that nothing more was read. The two are told apart by a mark in the message, which parsing clears first.
// Thread-safety: as for the message.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include "domain/error.h"

namespace warmline::api {

// The largest field number: the API has no field of it.
inline constexpr int kUnreadMark = 536'870'911;

// To be called before each StartRead(message): empties and marks the message.
inline void PrepareRead(google::protobuf::Message& message) {
  message.Clear();
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(kUnreadMark, 1);
}

// After OnReadDone(false): OK at the end of the stream, or the error of a message that could not be parsed.
[[nodiscard]] inline absl::Status EndOfStream(const google::protobuf::Message& message) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (unknown.field(i).number() == kUnreadMark) return absl::OkStatus();
  }
  domain::Violations violations;
  violations.Add(
      "request",
      "cannot be parsed as the message of this stream: send the message of the published proto, with text in "
      "UTF-8; what was sent before it counts");
  return violations.ToStatus();
}

}  // namespace warmline::api
