// JSON Web Tokens at the door: which are let in, which are not and why, and keys that are exchanged without a restart.
#include <absl/strings/escaping.h>
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "base/hmac.h"
#include "support/jwt_signer.h"
#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kIssuer[] = "https://login.example";
constexpr char kAudience[] = "warmline";

Json Claims(const std::string& subject = "portal") {
  const std::int64_t now = absl::ToUnixSeconds(absl::Now());
  return {{"iss", kIssuer},   {"aud", kAudience},
          {"sub", subject},   {"iat", now},
          {"exp", now + 600}, {"warmline", {{"roles", {"reader"}}, {"audiences", {"OPERATOR"}}, {"pools", {"p"}}}}};
}

class Jwt : public ::testing::Test {
 protected:
  Jwt() : path_(::testing::TempDir() + "jwks-XXXXXX") {
    close(mkstemp(path_.data()));
    WriteKeys({rsa_.PublicKey(), ec_.PublicKey()});
    server_ = std::make_unique<TestServer>([&](server::Config& config) {
      config.jwt_issuer = kIssuer;
      config.jwt_audience = kAudience;
      config.jwt_jwks_file = path_;
    });
    server_->CreatePool("p");
    server_->CreatePool("other");
  }
  ~Jwt() override { std::filesystem::remove(path_); }
  void WriteKeys(const std::vector<Json>& keys) { Write(Json{{"keys", keys}}.dump()); }
  void Write(const std::string& text) {
    std::ofstream(path_ + ".new") << text;
    std::filesystem::rename(path_ + ".new", path_);
  }
  [[nodiscard]] grpc::Status Get(const std::string& token, const std::string& pool = "p") const {
    pb::GetPoolRequest request;
    *request.mutable_actor() = Operator();
    request.set_name("pools/" + pool);
    pb::Pool response;
    return server_->pools().GetPool(server_->ContextWith(token).get(), request, &response);
  }
  // "REASON: message"; empty when it is let in.
  [[nodiscard]] std::string Refusal(const std::string& token, const std::string& pool = "p") const {
    const grpc::Status status = Get(token, pool);
    return status.ok() ? "" : ReasonOf(status) + ": " + status.error_message();
  }
  [[nodiscard]] bool Becomes(const std::string& token, const std::string& reason) const {
    for (int i = 0; i < 200; ++i) {
      if (ReasonOf(Get(token)) == reason) return true;
      absl::SleepFor(absl::Milliseconds(50));
    }
    return false;
  }

  const JwtSigner rsa_ = JwtSigner::Rsa("rsa-1");
  const JwtSigner ec_ = JwtSigner::Ec("ec-1");
  std::string path_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(Jwt, EveryAlgorithmOfTheKeysIsLetInAndOnlyWhereItsClaimAllows) {
  for (const std::string& token :
       {rsa_.Sign(Claims(), "RS256"), rsa_.Sign(Claims(), "PS256"), ec_.Sign(Claims(), "ES256")}) {
    EXPECT_EQ(Refusal(token), "");
    EXPECT_EQ(Refusal(token), "") << "remembered";
    EXPECT_THAT(Refusal(token, "other"), HasSubstr("POOL_NOT_ALLOWED"));
  }
  pb::CreatePoolRequest request;
  *request.mutable_actor() = Operator();
  pb::WritePoolResponse response;
  EXPECT_EQ(ReasonOf(server_->pools().CreatePool(server_->ContextWith(rsa_.Sign(Claims(), "RS256")).get(), request,
                                                 &response)),
            "ROLE_NOT_ALLOWED");
  auto many = Claims();
  many["aud"] = {"others", kAudience};
  EXPECT_EQ(Refusal(rsa_.Sign(many, "RS256")), "") << "one of several audiences";
}

TEST_F(Jwt, WhatIsWrongWithATokenIsSaid) {
  const std::int64_t now = absl::ToUnixSeconds(absl::Now());
  const auto with = [&](const char* claim, const Json& value) {
    Json claims = Claims();
    claims[claim] = value;
    return Refusal(rsa_.Sign(claims, "RS256"));
  };
  const auto without = [&](const char* claim) {
    Json claims = Claims();
    claims.erase(claim);
    return Refusal(rsa_.Sign(claims, "RS256"));
  };
  EXPECT_THAT(with("iss", "https://elsewhere.example"),
              HasSubstr("TOKEN_UNKNOWN: the JSON Web Token is of the issuer"));
  EXPECT_THAT(with("aud", "others"), HasSubstr("is not for the audience \"warmline\""));
  EXPECT_THAT(without("aud"), HasSubstr("is not for the audience"));
  EXPECT_THAT(with("exp", now - 61), HasSubstr("TOKEN_EXPIRED: the JSON Web Token ended at"));
  EXPECT_EQ(with("exp", now - 30), "") << "clocks differ by up to a minute";
  EXPECT_THAT(without("exp"), HasSubstr("never ends"));
  // What is no time is no token, whatever a conversion would make of it.
  for (const char* claim : {"exp", "nbf", "iat"}) {
    for (const Json& odd : {Json("tomorrow"), Json(1e300), Json(-1e300), Json(9'223'372'036'854'775'808ULL), Json(-1),
                            Json(std::numeric_limits<std::uint64_t>::max()), Json(4e11), Json(true), Json(nullptr)}) {
      EXPECT_THAT(with(claim, odd),
                  HasSubstr("TOKEN_UNKNOWN: the JSON Web Token has an " + std::string(claim) + " that is no time"))
          << odd;
    }
  }
  EXPECT_THAT(with("nbf", now + 120), HasSubstr("TOKEN_EXPIRED: the JSON Web Token begins at"));
  EXPECT_THAT(without("sub"), HasSubstr("has no subject"));
  EXPECT_THAT(without("warmline"), HasSubstr("allows nothing"));
  EXPECT_THAT(with("warmline", {{"roles", {"king"}}, {"audiences", {"OPERATOR"}}, {"pools", {"p"}}}),
              HasSubstr("\"king\" is not a role"));
}

TEST_F(Jwt, ForgedTokensAreNotLetIn) {
  const std::string good = rsa_.Sign(Claims(), "RS256");
  ASSERT_EQ(Refusal(good), "");
  // Claims exchanged below the same signature.
  Json more = Claims();
  more["warmline"]["pools"] = {"*"};
  const std::string signature = good.substr(good.rfind('.'));
  EXPECT_THAT(Refusal(SignedPart({{"alg", "RS256"}, {"kid", "rsa-1"}}, more) + signature),
              HasSubstr("signature is not that of its key"));
  // No signature at all.
  EXPECT_THAT(Refusal(SignedPart({{"alg", "none"}, {"kid", "rsa-1"}}, more) + "."), HasSubstr("TOKEN_UNKNOWN"));
  EXPECT_THAT(Refusal(SignedPart({{"alg", "none"}}, more) + "."), HasSubstr("TOKEN_UNKNOWN"));
  // The public key used as if it were a shared secret.
  const std::string text = SignedPart({{"alg", "HS256"}, {"kid", "rsa-1"}}, more);
  EXPECT_THAT(Refusal(text + "." + absl::WebSafeBase64Escape(base::HmacSha256(rsa_.PublicKey().dump(), text))),
              HasSubstr("none of this server's keys"));
  // A key of somebody else under a name of ours, and under another name; a head with demands.
  const JwtSigner stranger = JwtSigner::Rsa("rsa-1");
  EXPECT_THAT(Refusal(stranger.Sign(Claims(), "RS256")), HasSubstr("signature is not that of its key"));
  EXPECT_THAT(Refusal(JwtSigner::Rsa("rsa-9").Sign(Claims(), "RS256")), HasSubstr("none of this server's keys"));
  EXPECT_THAT(Refusal(rsa_.SignWith({{"alg", "RS256"}, {"kid", "rsa-1"}, {"crit", {"b64"}}}, Claims(), "RS256")),
              HasSubstr("asks for extensions"));
  EXPECT_THAT(Refusal(rsa_.SignWith({{"alg", "ES256"}, {"kid", "rsa-1"}}, Claims(), "RS256")),
              HasSubstr("none of this server's keys"));
  // Not of the form.
  EXPECT_THAT(Refusal("eyJ.eyJ.x"), HasSubstr("head that is no JSON"));
  EXPECT_THAT(Refusal("eyJh.b.c.d"), HasSubstr("is not one that this server knows"));
  EXPECT_THAT(Refusal("eyJ" + std::string(7'000, 'a') + ".b.c"), HasSubstr("has more than 6144 bytes"));
}

TEST_F(Jwt, KeysAreExchangedWithoutARestartAndAWrongFileChangesNothing) {
  const std::string before = rsa_.Sign(Claims(), "RS256");
  const JwtSigner next = JwtSigner::Rsa("rsa-2");
  const std::string after = next.Sign(Claims(), "RS256");
  EXPECT_EQ(Refusal(before), "");
  EXPECT_THAT(Refusal(after), HasSubstr("none of this server's keys"));
  Write("{ no JSON");
  absl::SleepFor(absl::Seconds(1.5));
  EXPECT_EQ(Refusal(before), "");
  WriteKeys({rsa_.PublicKey(), next.PublicKey()});
  EXPECT_TRUE(Becomes(after, ""));
  EXPECT_EQ(Refusal(before), "") << "both keys are in force while the issuer changes over";
  WriteKeys({next.PublicKey()});
  EXPECT_TRUE(Becomes(before, "TOKEN_UNKNOWN")) << "also where it was remembered as good";
  EXPECT_EQ(Refusal(after), "");
}

TEST_F(Jwt, ANewTokenOfTheSameSubjectGoesOnWithTheRateOfTheLast) {
  Json claims = Claims("slow");
  claims["warmline"]["calls_per_second"] = 2;
  int refused = 0;
  for (int i = 0; i < 20; ++i) {
    claims["jti"] = i;
    refused += Refusal(rsa_.Sign(claims, "RS256")).starts_with("CALL_RATE_EXCEEDED") ? 1 : 0;
  }
  EXPECT_GE(refused, 10);
  EXPECT_EQ(Refusal(rsa_.Sign(Claims("quick"), "RS256")), "");
}

TEST_F(Jwt, KeySetsThatHelpNobodyAreRefusedAtTheStart) {
  const auto start = [&](const std::string& text, const std::string& issuer = kIssuer) -> std::string {
    Write(text);
    server::Config config = server_->config();
    config.data_dir += "-second";
    config.jwt_issuer = issuer;
    const auto started = server::Server::Start(config);
    std::string what = started.ok() ? "" : std::string(started.status().message());
    std::filesystem::remove_all(config.data_dir);
    return what;
  };
  EXPECT_THAT(start("{}"), HasSubstr("is not a JSON Web Key Set"));
  EXPECT_THAT(start(R"({"keys": []})"), HasSubstr("has no RSA or EC key"));
  EXPECT_THAT(start(R"({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]})"), HasSubstr("has no RSA or EC key"));
  EXPECT_THAT(start(Json{{"keys", {JwtSigner::Rsa("short", 1024).PublicKey()}}}.dump()), HasSubstr("fewer than 2048"));
  Json with_private = ec_.PublicKey();
  with_private["d"] = "AAAA";
  EXPECT_THAT(start(Json{{"keys", {with_private}}}.dump()), HasSubstr("holds a private key"));
  EXPECT_THAT(start(Json{{"keys", {rsa_.PublicKey()}}}.dump(), ""), HasSubstr("jwt-issuer: is missing"));
}

}  // namespace
}  // namespace warmline::testing
