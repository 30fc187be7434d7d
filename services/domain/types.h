// The enumerations of the domain, numbered as in proto/warmline/v1/types.proto. Values.
#pragma once

#include <cstdint>

namespace warmline::domain {

enum class Audience : std::uint8_t { kUnspecified, kSeeker, kIntroducer, kHelper, kOperator };
enum class MemberKind : std::uint8_t { kUnspecified, kPerson, kOrganization };
enum class HelpKind : std::uint8_t {
  kUnspecified,
  kAdvice,
  kResumeReview,
  kMockInterview,
  kReferral,
  kIntroduction,
  kJobOpening,
  kTraining,
  kPlacement,
  kMaterialAid,
};
enum class Involvement : std::uint8_t {
  kUnspecified,
  kUninvolved,
  kSameField,
  kHiringManager,
  kRecruiter,
  kCareerCounsellor,
  kPlacementProgramme,
};
inline constexpr int kInvolvements = 7;
enum class Reach : std::uint8_t { kUnspecified, kFirstDegree, kSecondDegree, kCircle, kPool };
enum class Urgency : std::uint8_t { kUnspecified, kLow, kNormal, kHigh, kImmediate };
enum class EvidenceGate : std::uint8_t { kUnspecified, kNone, kAny, kProven };
enum class OutcomeKind : std::uint8_t { kUnspecified, kHelped, kInterview, kHired, kNotHelpful, kNoReply };
enum class Confirmation : std::uint8_t { kUnspecified, kUnconfirmed, kSelfConfirmed, kVouched };
enum class ConnectionState : std::uint8_t { kUnspecified, kPending, kConfirmed };
enum class SoftConstraint : std::uint8_t { kUnspecified, kLanguage, kPlace, kHelperKind, kEvidence };
enum class NeedState : std::uint8_t { kUnspecified, kOpen, kClosed };
enum class CloseReason : std::uint8_t { kUnspecified, kFoundWork, kNoLongerLooking, kHelpedElsewhere, kOther };
enum class IntroductionState : std::uint8_t {
  kUnspecified,
  kDrafted,
  kAwaitingIntroducer,
  kAwaitingHelper,
  kAwaitingSeeker,
  kAccepted,
  kConcluded,
  kDeclined,
  kExpired,
  kCancelled,
  kWithdrawn,
  kBlocked,
};
inline constexpr int kIntroductionStates = 12;
enum class Visibility : std::uint8_t { kUnspecified, kNamed, kMasked };

// The hard rules, numbered as warmline.v1.Rule.
enum class Rule : std::uint8_t {
  kUnspecified,
  kConfirmation,
  kHelpKind,
  kHelperKind,
  kLanguage,
  kPlace,
  kCapacity,
  kBlock,
  kConflict,
  kPause,
  kEvidence,
  kPreference,
  kReach,
  kExcluded,
  kNotAvailable,
  kCoolDown,
  kOpenAsk,
};
inline constexpr int kRules = 17;

// The parts of the score, numbered as warmline.v1.Part minus one.
enum class Part : std::uint8_t {
  kInterests,
  kHelpfulness,
  kResponsiveness,
  kInvolvement,
  kAvailability,
  kCloseness,
  kExploration
};
inline constexpr int kParts = 7;

// Sets of kinds and reaches, as bits: bit i is the value i.
template <typename Enum>
[[nodiscard]] constexpr std::uint16_t BitOf(Enum value) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(value));
}

}  // namespace warmline::domain
