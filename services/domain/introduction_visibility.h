// Who may see what of an introduction, and when, as a table; docs/introductions.md prints it. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "domain/fixed_point.h"
#include "domain/introduction.h"

namespace warmline::domain {

enum class Viewer : std::uint8_t { kNobody, kSeeker, kIntroducer, kHelper, kOperator };
inline constexpr int kViewers = 5;

enum class IntroductionField : std::uint8_t {
  kSeeker,      // with need, showcase, urgency, message and times
  kHelper,      // the name
  kIntroducer,  // the name
  kReasons,     // with shared interests and evidence
  kIntroducerNote,
  kExchanges,
  kDeclineNote,
  kOutcomes,
  kReports,
};
inline constexpr int kIntroductionFields = 9;

enum class Shown : std::uint8_t {
  kNever,
  kAlways,
  kAfterConsent,  // where the helper is masked: once the helper has accepted
  kByDecliner,    // whoever said no sees what they wrote
};

[[nodiscard]] Shown ShownTo(Viewer viewer, IntroductionField field);
// Whether the viewer may see the field of this introduction as it is now.
[[nodiscard]] bool Sees(Viewer viewer, IntroductionField field, const Introduction& introduction);
// A part of the score of somebody masked, in units of 2^-20: rounded down to a 16th, so that neither the same helper is
// known again in another answer, nor the counts behind the buckets are worked out from it.
[[nodiscard]] constexpr std::uint32_t CoarsePart(std::uint32_t part) { return part & ~(kOne / 16 - 1); }
// What a member is to an introduction now: the introducer learns of it when asked, the helper once it was forwarded.
// Everybody else is nobody.
[[nodiscard]] Viewer ViewerOf(const Introduction& introduction, const std::string& member);
// The table in Markdown.
[[nodiscard]] std::string VisibilityTable();

}  // namespace warmline::domain
