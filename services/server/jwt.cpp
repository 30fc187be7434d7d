#include "server/jwt.h"

#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "domain/error.h"
#include "server/config_error.h"
#include "server/grants.h"

namespace warmline::server {
namespace {

using Json = nlohmann::json;
using domain::ErrorReason;

constexpr std::size_t kMaxSubjectBytes = 200;

absl::Status Unknown(const std::string& what) {
  return domain::MakeError(ErrorReason::kTokenUnknown, absl::StrCat("the JSON Web Token ", what));
}

// One of the three parts, as an object; discarded where it is none.
Json Part(absl::string_view part) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(part, &text)) return Json(Json::value_t::discarded);
  Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : Json(Json::value_t::discarded);
}

// The last second of the year 9999: a time past it is a mistake, or an attempt at a token that never ends.
constexpr double kMaxNumericDate = 253'402'300'799.0;

// A NumericDate; nothing where there is none. An error where it is no number, or no time.
absl::StatusOr<std::optional<absl::Time>> TimeOf(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::nullopt;
  const double seconds = found->is_number() ? found->get<double>() : -1;
  if (!(seconds >= 0 && seconds <= kMaxNumericDate)) {
    return Unknown(absl::StrCat("has an ", name, " that is no time: give the seconds since 1970 as a number, at most ",
                                static_cast<std::int64_t>(kMaxNumericDate)));
  }
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

bool Names(const Json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (!found->is_array()) return found->is_string() && found->get<std::string>() == audience;
  return std::any_of(found->begin(), found->end(),
                     [&](const Json& one) { return one.is_string() && one.get<std::string>() == audience; });
}

absl::Status CheckTimes(const Json& claims, absl::Time now) {
  const auto end = TimeOf(claims, "exp");
  if (!end.ok()) return end.status();
  if (!*end) return Unknown("never ends: give it an exp");
  const auto begin = TimeOf(claims, "nbf");
  if (!begin.ok()) return begin.status();
  // When it was issued decides nothing, but has to be a time.
  if (const auto issued = TimeOf(claims, "iat"); !issued.ok()) return issued.status();
  if (**end + kClockLeeway < now)
    return domain::MakeError(
        ErrorReason::kTokenExpired,
        absl::StrCat("the JSON Web Token ended at ", absl::FormatTime(**end, absl::UTCTimeZone()), ": get a new one"));
  if (*begin && **begin - kClockLeeway > now)
    return domain::MakeError(
        ErrorReason::kTokenExpired,
        absl::StrCat("the JSON Web Token begins at ", absl::FormatTime(**begin, absl::UTCTimeZone()), ": use it then"));
  return absl::OkStatus();
}

absl::Status CheckClaims(const Json& claims, const JwtRules& rules, absl::Time now) {
  if (TextOf(claims, "iss") != rules.issuer) {
    return Unknown(absl::StrCat("is of the issuer ", domain::Quoted(TextOf(claims, "iss")), " and not of ",
                                domain::Quoted(rules.issuer)));
  }
  if (!Names(claims, rules.audience))
    return Unknown(absl::StrCat("is not for the audience ", domain::Quoted(rules.audience), ": have it named in aud"));
  const std::string subject = TextOf(claims, "sub");
  if (subject.empty() || subject.size() > kMaxSubjectBytes)
    return Unknown(absl::StrCat("has no subject of 1 to ", kMaxSubjectBytes, " bytes: give it a sub"));
  return CheckTimes(claims, now);
}

absl::StatusOr<application::Grant> GrantOf(const Json& claims, const std::string& claim) {
  const auto found = claims.find(claim);
  if (found == claims.end() || !found->is_object())
    return Unknown(absl::StrCat("allows nothing: give it the claim ", domain::Quoted(claim),
                                ", an object with roles, audiences, pools and members"));
  domain::Violations violations;
  application::Grant grant = ParseGrant(*found, claim, violations);
  if (!violations.empty()) {
    const auto wrong = domain::ViolationsOf(violations.ToStatus());
    return Unknown(absl::StrCat("cannot be used: ", wrong.front().field, " ", wrong.front().description));
  }
  grant.name = absl::StrCat("jwt:", TextOf(claims, "sub"));
  return grant;
}

}  // namespace

absl::StatusOr<bool> UsesJwt(const Config& config) {
  if (config.jwt_issuer.empty() && config.jwt_audience.empty() && config.jwt_jwks_file.empty()) return false;
  domain::Violations violations;
  for (const auto& [value, name] :
       {std::pair(&config.jwt_issuer, "jwt-issuer"), std::pair(&config.jwt_audience, "jwt-audience"),
        std::pair(&config.jwt_jwks_file, "jwt-jwks-file"), std::pair(&config.jwt_claim, "jwt-claim")}) {
    if (value->empty())
      violations.Add(name,
                     "is missing: JSON Web Tokens need their issuer, audience, set of keys and claim, all of them");
  }
  if (!violations.empty()) return violations.ToStatus();
  return true;
}

absl::StatusOr<std::shared_ptr<const KeySet>> ReadKeySet(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxJwksBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.empty()) {
    return Invalid("jwt-jwks-file", absl::StrCat("cannot read ", path, " (", std::strerror(errno),
                                                 "): check the path and its permissions"));
  }
  if (text.size() > kMaxJwksBytes)
    return Invalid("jwt-jwks-file", absl::StrCat(path, " has more than ", kMaxJwksBytes, " bytes"));
  return KeySet::Parse(text, path);
}

JwtVerifier::JwtVerifier(JwtRules rules, std::shared_ptr<const KeySet> keys)
    : rules_(std::move(rules)), keys_(std::move(keys)) {}

bool JwtVerifier::Recognises(const std::string& token) const {
  // Each begins with the Base64 of `{"`; other tokens that happen to are refused with less to go by.
  return absl::StartsWith(token, "eyJ") && std::count(token.begin(), token.end(), '.') == 2;
}

void JwtVerifier::UseKeys(std::shared_ptr<const KeySet> keys) {
  const std::lock_guard lock(mutex_);
  keys_ = std::move(keys);
  good_.clear();
}

absl::StatusOr<std::shared_ptr<const application::GrantInForce>> JwtVerifier::Verify(const std::string& token,
                                                                                     const std::string& sha256,
                                                                                     absl::Time now) {
  if (token.size() > kMaxJwtBytes) return Unknown(absl::StrCat("has more than ", kMaxJwtBytes, " bytes"));
  std::shared_ptr<const KeySet> keys;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = good_.find(sha256); found != good_.end()) {
      if (found->second.until >= now) return found->second.grant;
      good_.erase(found);
    }
    keys = keys_;
  }
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  const Json head = Part(absl::string_view(token).substr(0, first));
  if (head.is_discarded()) return Unknown("has a head that is no JSON");
  // RFC 7515, section 4.1.11: a head that demands what is not understood here.
  if (head.contains("crit")) return Unknown("asks for extensions (crit) that are not known here");
  if (auto status = keys->Check(token, {TextOf(head, "alg"), TextOf(head, "kid")}); !status.ok()) return status;
  const Json claims = Part(absl::string_view(token).substr(first + 1, second - first - 1));
  if (claims.is_discarded()) return Unknown("has claims that are no JSON");
  if (auto status = CheckClaims(claims, rules_, now); !status.ok()) return status;
  auto grant = GrantOf(claims, rules_.claim);
  if (!grant.ok()) return grant.status();
  const std::lock_guard lock(mutex_);
  if (good_.size() >= kMaxJwtsRemembered) {
    absl::erase_if(good_, [&](const auto& entry) { return entry.second.until < now; });
    if (good_.size() >= kMaxJwtsRemembered) good_.clear();
  }
  Grant in_force = InForce(*std::move(grant));
  if (keys == keys_) good_[sha256] = {in_force, **TimeOf(claims, "exp") + kClockLeeway};
  return in_force;
}

JwtVerifier::Grant JwtVerifier::InForce(application::Grant grant) {
  if (subjects_.size() >= kMaxJwtsRemembered)
    absl::erase_if(subjects_, [](const auto& entry) { return entry.second.use_count() == 1; });
  if (subjects_.size() >= kMaxJwtsRemembered) subjects_.clear();
  Grant& known = subjects_[grant.name];
  if (known == nullptr || !(known->grant == grant))
    known = std::make_shared<const application::GrantInForce>(std::move(grant));
  return known;
}

}  // namespace warmline::server
