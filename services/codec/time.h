// google.protobuf times and durations. Pure functions.
#pragma once

#include <absl/time/time.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

namespace warmline::codec {

inline void SetTime(absl::Time time, google::protobuf::Timestamp* message) {
  const std::int64_t seconds = absl::ToUnixSeconds(time);
  message->set_seconds(seconds);
  message->set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

[[nodiscard]] inline absl::Time ToTime(const google::protobuf::Timestamp& message) {
  return absl::FromUnixSeconds(message.seconds()) + absl::Nanoseconds(message.nanos());
}

inline void SetDuration(absl::Duration duration, google::protobuf::Duration* message) {
  const std::int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &duration);
  message->set_seconds(seconds);
  message->set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(duration)));
}

[[nodiscard]] inline absl::Duration ToDuration(const google::protobuf::Duration& message) {
  return absl::Seconds(message.seconds()) + absl::Nanoseconds(message.nanos());
}

}  // namespace warmline::codec
