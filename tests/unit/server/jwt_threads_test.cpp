// The verifier of JSON Web Tokens under many threads while its keys are exchanged, and what it remembers.
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "api/token_hash.h"
#include "domain/error.h"
#include "server/jwt.h"
#include "support/jwt_signer.h"

namespace warmline::server {
namespace {

using nlohmann::json;
using testing::JwtSigner;

json Claims(const std::string& subject, absl::Time end) {
  return {{"iss", "i"},
          {"aud", "a"},
          {"sub", subject},
          {"exp", absl::ToUnixSeconds(end)},
          {"warmline", {{"roles", {"reader"}}, {"audiences", {"OPERATOR"}}, {"pools", {"*"}}}}};
}

std::shared_ptr<const KeySet> Keys(const std::vector<json>& keys) {
  auto parsed = KeySet::Parse(json{{"keys", keys}}.dump(), "keys");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *parsed;
}

absl::StatusOr<std::shared_ptr<const application::GrantInForce>> Verify(JwtVerifier& verifier, const std::string& token,
                                                                        absl::Time now) {
  return verifier.Verify(token, api::TokenHash(token), now);
}

TEST(JwtThreads, KeysAreExchangedWhileManyVerify) {
  const absl::Time now = absl::Now();
  const JwtSigner first = JwtSigner::Ec("first");
  const JwtSigner second = JwtSigner::Ec("second");
  const auto both = Keys({first.PublicKey(), second.PublicKey()});
  const auto one = Keys({second.PublicKey()});
  JwtVerifier verifier({"i", "a", "warmline"}, both);
  const std::string sometimes = first.Sign(Claims("x", now + absl::Hours(1)), "ES256");
  const std::string always = second.Sign(Claims("y", now + absl::Hours(1)), "ES256");
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> verified{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      while (!stop) {
        const auto grant = Verify(verifier, t % 2 == 0 ? always : sometimes, now);
        const bool good = grant.ok()
                              ? (*grant)->grant.name == (t % 2 == 0 ? "jwt:y" : "jwt:x")
                              : t % 2 == 1 && domain::ReasonOf(grant.status()) == domain::ErrorReason::kTokenUnknown;
        if (!good) ++wrong;
        ++verified;
      }
    });
  }
  for (int i = 0; i < 200 || verified < 4'000; ++i) {
    verifier.UseKeys(i % 2 == 0 ? one : both);
    std::this_thread::yield();
  }
  verifier.UseKeys(one);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_FALSE(Verify(verifier, sometimes, now).ok()) << "remembered past its key";
  EXPECT_TRUE(Verify(verifier, always, now).ok());
}

TEST(JwtThreads, WhatIsRememberedEndsWithTheToken) {
  const absl::Time now = absl::Now();
  const JwtSigner signer = JwtSigner::Ec("k");
  JwtVerifier verifier({"i", "a", "warmline"}, Keys({signer.PublicKey()}));
  const std::string token = signer.Sign(Claims("x", now + absl::Minutes(10)), "ES256");
  const auto first = Verify(verifier, token, now);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(*Verify(verifier, token, now + absl::Minutes(10)), *first);
  EXPECT_EQ(domain::ReasonOf(Verify(verifier, token, now + absl::Minutes(12)).status()),
            domain::ErrorReason::kTokenExpired);
  // Another token with the same claims has the same grant in force; one with others has its own.
  EXPECT_EQ(*Verify(verifier, signer.Sign(Claims("x", now + absl::Minutes(20)), "ES256"), now), *first);
  json more = Claims("x", now + absl::Minutes(20));
  more["warmline"]["pools"] = {"p"};
  EXPECT_NE(*Verify(verifier, signer.Sign(more, "ES256"), now), *first);
}

}  // namespace
}  // namespace warmline::server
