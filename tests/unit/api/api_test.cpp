#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/candidate_token.h"
#include "api/errors.h"
#include "domain/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace warmline::api {
namespace {

using ::testing::HasSubstr;

TEST(CandidateTokens, OpenForTheirOwnNeedOnly) {
  const CandidateTokens tokens(std::string(32, 'k'));
  const std::string token = tokens.Seal("p", "amina", "n1", "ingrid");
  EXPECT_EQ(tokens.Open("p", "amina", "n1", token), "ingrid");
  EXPECT_EQ(tokens.Open("q", "amina", "n1", token), std::nullopt);
  EXPECT_EQ(tokens.Open("p", "other", "n1", token), std::nullopt);
  EXPECT_EQ(tokens.Open("p", "amina", "n2", token), std::nullopt);
  EXPECT_EQ(CandidateTokens(std::string(32, 'x')).Open("p", "amina", "n1", token), std::nullopt);
}

TEST(CandidateTokens, TellNeitherIdNorLength) {
  const CandidateTokens tokens(std::string(32, 'k'));
  const std::string token = tokens.Seal("p", "amina", "n1", "ingrid");
  EXPECT_EQ(token.size(), tokens.Seal("p", "amina", "n1", std::string(64, 'a')).size());
  EXPECT_NE(token, tokens.Seal("p", "amina", "n2", "ingrid"));
  EXPECT_EQ(token, tokens.Seal("p", "amina", "n1", "ingrid"));  // a replay gives the same
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(tokens.Open("p", "amina", "n1", forged), std::nullopt) << i;
  }
  for (const char* wrong : {"", "x", "!!", "AAAA"}) EXPECT_EQ(tokens.Open("p", "amina", "n1", wrong), std::nullopt);
}

template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  Detail detail;
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  ADD_FAILURE() << "no such detail";
  return detail;
}

TEST(Errors, CarryReasonFieldsAndRetry) {
  domain::Violations violations;
  violations.Add("a.b[1]", "is wrong");
  violations.Add("c", "is empty");
  const auto wrong = ToGrpc(violations.ToStatus());
  EXPECT_EQ(wrong.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(wrong).reason(), "INVALID_FIELDS");
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(wrong).domain(), "warmline");
  EXPECT_EQ(DetailOf<google::rpc::BadRequest>(wrong).field_violations_size(), 2);
  const auto busy = ToGrpc(domain::MakeError(domain::ErrorReason::kOverloaded, "busy", absl::Milliseconds(1500)));
  EXPECT_EQ(busy.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(busy).retry_delay().seconds(), 1);
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(busy).retry_delay().nanos(), 500'000'000);
  EXPECT_GE(DetailOf<google::rpc::QuotaFailure>(ToGrpc(domain::MakeError(domain::ErrorReason::kLimitReached, "full")))
                .violations_size(),
            1);
}

TEST(Errors, DefectsDoNotTellTheirInside) {
  const auto status = ToGrpc(absl::InternalError("secret path /x/y"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_THAT(status.error_message(), ::testing::Not(HasSubstr("secret")));
}

TEST(Errors, EveryReasonHasACode) {
  for (int reason = 1; reason <= static_cast<int>(domain::ErrorReason::kCallCancelled); ++reason) {
    const auto status = domain::MakeError(static_cast<domain::ErrorReason>(reason), "x");
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(domain::ReasonOf(status), static_cast<domain::ErrorReason>(reason));
    if (reason != static_cast<int>(domain::ErrorReason::kInternalDefect))
      EXPECT_NE(status.code(), absl::StatusCode::kInternal) << reason;
    EXPECT_FALSE(ReasonName(status).empty());
  }
}

}  // namespace
}  // namespace warmline::api
