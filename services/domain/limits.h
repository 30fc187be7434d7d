// Every limit on what callers may send or store, in one place, by name. docs/limits.md lists them.
#pragma once

#include <absl/time/time.h>

namespace warmline::domain {

inline constexpr int kMaxPools = 10'000;
inline constexpr int kMaxInterestsPerMember = 200;
// Past this many, every strength is divided by count / this.
inline constexpr int kUndilutedInterests = 32;
inline constexpr int kMaxInterestsPerNeed = 64;
// Own and related terms of one query.
inline constexpr int kMaxQueryTerms = 64;
inline constexpr int kMaxInterestBytes = 200;
inline constexpr int kMaxFacetBytes = 32;
inline constexpr int kMaxIdBytes = 64;
inline constexpr int kMaxDisplayNameCharacters = 200;
inline constexpr int kMaxHelpKinds = 9;
inline constexpr int kMaxLanguages = 16;
inline constexpr int kMaxPlaces = 32;
inline constexpr int kMaxPlaceBytes = 100;
inline constexpr int kMaxSeekerInterests = 16;
inline constexpr int kMaxCapacity = 10'000;
inline constexpr int kMaxConflictKeys = 16;
inline constexpr int kMaxConflictKeyBytes = 100;
inline constexpr int kMaxEvidenceEntries = 256;
inline constexpr int kMaxEvidenceCount = 1'000'000;
inline constexpr int kMaxConnectionsPerMember = 10'000;
inline constexpr int kMaxBlocksPerMember = 10'000;
inline constexpr int kMaxOpenNeedsPerSeeker = 100;
inline constexpr int kMaxExcludedMembers = 10'000;
// Masked matches that one request leaves out by their tokens.
inline constexpr int kMaxExcludedCandidates = 1'000;
// Members whom a caller may not know of, by name: looked up or asked for a tie; blocked. Each member, each replica.
inline constexpr int kGuessesPerHour = 60;
inline constexpr int kBlindBlocksPerDay = 20;
// Members whose guesses are remembered.
inline constexpr int kMaxGuessersRemembered = 100'000;
inline constexpr int kMaxRelaxations = 8;
inline constexpr int kMaxShowcaseTitleCharacters = 200;
inline constexpr int kMaxShowcaseDescriptionCharacters = 2'000;
inline constexpr int kMaxShowcaseUrlBytes = 500;
inline constexpr int kMaxAskTargets = 10;
inline constexpr int kMinMessageCharacters = 40;
inline constexpr int kMaxMessageCharacters = 2'000;
inline constexpr int kMaxNoteCharacters = 1'000;
inline constexpr int kMaxDeclineNoteCharacters = 500;
inline constexpr int kMaxQuestionCharacters = 1'000;
inline constexpr int kMaxAnswerCharacters = 2'000;
inline constexpr int kMaxExchanges = 10;
inline constexpr int kMaxAbuseReports = 16;
inline constexpr int kMaxFacetWeights = 64;
inline constexpr int kMaxSynonyms = 10'000;
inline constexpr int kMinRequestIdBytes = 8;
inline constexpr int kMaxRequestIdBytes = 128;
inline constexpr int kDefaultTopK = 10;
inline constexpr int kMaxTopK = 100;
inline constexpr int kDefaultPageSize = 100;
inline constexpr int kMaxPageSize = 1'000;
// The second-degree neighbourhood: this many of the strongest ties of this many of the strongest (DESIGN section 4).
inline constexpr int kNeighbourhoodTies = 256;

}  // namespace warmline::domain
