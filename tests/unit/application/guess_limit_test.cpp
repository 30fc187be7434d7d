#include "application/guess_limit.h"

#include <gtest/gtest.h>

#include "domain/error.h"
#include "domain/limits.h"
#include "telemetry/prometheus_metrics.h"

namespace warmline::application {
namespace {

const Caller kAmina{domain::Audience::kSeeker, "amina"};

class Guesses : public ::testing::Test {
 protected:
  telemetry::PrometheusMetrics metrics_{"test"};
  GuessLimit guesses_{metrics_};
  const absl::Time start_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(Guesses, ComeBackOneByOne) {
  for (int i = 0; i < domain::kGuessesPerHour; ++i)
    EXPECT_TRUE(guesses_.Take(GuessKind::kLookUp, kAmina, "p", start_).ok()) << i;
  const absl::Status spent = guesses_.Take(GuessKind::kLookUp, kAmina, "p", start_);
  EXPECT_EQ(domain::ReasonOf(spent), domain::ErrorReason::kLimitReached);
  EXPECT_EQ(domain::RetryAfterOf(spent), absl::Hours(1) / domain::kGuessesPerHour);
  EXPECT_FALSE(guesses_.Check(GuessKind::kLookUp, kAmina, "p", start_).ok());
  const absl::Time later = start_ + absl::Hours(1) / domain::kGuessesPerHour;
  EXPECT_TRUE(guesses_.Check(GuessKind::kLookUp, kAmina, "p", later).ok());  // which takes none
  EXPECT_TRUE(guesses_.Take(GuessKind::kLookUp, kAmina, "p", later).ok());
  EXPECT_FALSE(guesses_.Take(GuessKind::kLookUp, kAmina, "p", later).ok());
}

TEST_F(Guesses, AreOfOneKindMemberAndPoolAndOperatorsHaveAll) {
  for (int i = 0; i < domain::kBlindBlocksPerDay; ++i) guesses_.Count(GuessKind::kBlock, kAmina, "p", start_);
  EXPECT_FALSE(guesses_.Take(GuessKind::kBlock, kAmina, "p", start_).ok());
  EXPECT_TRUE(guesses_.Take(GuessKind::kLookUp, kAmina, "p", start_).ok());
  EXPECT_TRUE(guesses_.Take(GuessKind::kBlock, kAmina, "q", start_).ok());
  EXPECT_TRUE(guesses_.Take(GuessKind::kBlock, {domain::Audience::kHelper, "bo"}, "p", start_).ok());
  // Whatever they call as, it is the same member.
  EXPECT_FALSE(guesses_.Take(GuessKind::kBlock, {domain::Audience::kHelper, "amina"}, "p", start_).ok());
  for (int i = 0; i < 1'000; ++i)
    EXPECT_TRUE(guesses_.Take(GuessKind::kBlock, {domain::Audience::kOperator, ""}, "p", start_).ok());
}

TEST_F(Guesses, OfMoreMembersThanAreRememberedNobodyIsRefusedForIt) {
  for (int i = 0; i < domain::kMaxGuessersRemembered + 10; ++i) {
    const Caller caller{domain::Audience::kSeeker, "m" + std::to_string(i)};
    ASSERT_TRUE(guesses_.Take(GuessKind::kLookUp, caller, "p", start_).ok()) << i;
  }
}

}  // namespace
}  // namespace warmline::application
