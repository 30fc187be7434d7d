// Something that a member should hear of before it happens, or as it does. Values.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>

namespace warmline::domain {

// Numbered as warmline.v1.Notice.Kind.
enum class NoticeKind : std::uint8_t { kUnspecified, kReminder, kPaused, kMemberRetention, kIntroductionRetention };

struct Notice {
  NoticeKind kind = NoticeKind::kUnspecified;
  std::string member;        // id; whom it is for
  std::string introduction;  // id; may be empty
  std::optional<absl::Time> due;
};

}  // namespace warmline::domain
