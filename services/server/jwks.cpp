#include "server/jwks.h"

#include <absl/strings/str_cat.h>
#include <cjose/cjose.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "domain/error.h"
#include "server/config_error.h"
#include "server/grants.h"

namespace warmline::server {
namespace {

using Json = nlohmann::json;

constexpr char kField[] = "jwt-jwks-file";

// The algorithms that a key may be used with; none for a key that is of no use here.
std::vector<std::string> AlgorithmsOf(const Json& key) {
  const std::string use = TextOf(key, "use");
  if (!use.empty() && use != "sig") return {};
  if (TextOf(key, "kty") == "RSA") return {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"};
  if (TextOf(key, "kty") != "EC") return {};
  const std::string curve = TextOf(key, "crv");
  if (curve == "P-256") return {"ES256"};
  if (curve == "P-384") return {"ES384"};
  if (curve == "P-521") return {"ES512"};
  return {};
}

absl::Status Unknown(const std::string& what) { return domain::MakeError(domain::ErrorReason::kTokenUnknown, what); }

struct ReleaseJws {
  void operator()(cjose_jws_t* jws) const { cjose_jws_release(jws); }
};

}  // namespace

struct KeySet::Key {
  struct Release {
    void operator()(cjose_jwk_t* key) const { cjose_jwk_release(key); }
  };
  std::string id;
  std::string algorithm;  // that alone, where the set says so
  std::vector<std::string> fits;
  std::unique_ptr<cjose_jwk_t, Release> key;
};

absl::StatusOr<std::shared_ptr<const KeySet>> KeySet::Parse(const std::string& json, const std::string& path) {
  const Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded() || !parsed.is_object() || !parsed.contains("keys") || !parsed["keys"].is_array())
    return Invalid(kField,
                   absl::StrCat(path, " is not a JSON Web Key Set: it is {\"keys\": [...]}, as issuers publish it"));
  if (parsed["keys"].size() > kMaxKeys)
    return Invalid(kField, absl::StrCat(path, " has more than ", kMaxKeys, " keys"));
  auto set = std::make_shared<KeySet>();
  for (const Json& entry : parsed["keys"]) {
    if (!entry.is_object()) return Invalid(kField, absl::StrCat(path, " has a key that is not an object"));
    Key key;
    key.fits = AlgorithmsOf(entry);
    if (key.fits.empty()) continue;
    key.id = TextOf(entry, "kid");
    key.algorithm = TextOf(entry, "alg");
    if (entry.contains("d"))
      return Invalid(kField, absl::StrCat(path, " holds a private key: give the public parts alone"));
    const std::string text = entry.dump();
    cjose_err error{};
    key.key.reset(cjose_jwk_import(text.data(), text.size(), &error));
    if (key.key == nullptr)
      return Invalid(kField, absl::StrCat(path, ": the key ", domain::Quoted(key.id),
                                          " cannot be read: ", error.message == nullptr ? "" : error.message));
    if (TextOf(entry, "kty") == "RSA" && cjose_jwk_get_keysize(key.key.get(), &error) < kMinRsaBits)
      return Invalid(kField, absl::StrCat(path, ": the key ", domain::Quoted(key.id), " has fewer than ", kMinRsaBits,
                                          " bits: have the issuer use a longer one"));
    set->keys_.push_back(std::make_shared<const Key>(std::move(key)));
  }
  if (set->keys_.empty())
    return Invalid(kField, absl::StrCat(path, " has no RSA or EC key for signatures: no token could be checked"));
  return std::shared_ptr<const KeySet>(std::move(set));
}

absl::Status KeySet::Check(const std::string& token, const SignatureHead& head) const {
  const Key* chosen = nullptr;
  for (const auto& key : keys_) {
    if (std::find(key->fits.begin(), key->fits.end(), head.algorithm) == key->fits.end()) continue;
    if (!key->algorithm.empty() && key->algorithm != head.algorithm) continue;
    if (!head.key_id.empty() && key->id != head.key_id) continue;
    if (chosen != nullptr)
      return Unknown("the JSON Web Token names no key id, and more than one key fits: sign with a kid");
    chosen = key.get();
  }
  if (chosen == nullptr) {
    return Unknown(absl::StrCat("the JSON Web Token is signed with ", domain::Quoted(head.algorithm), " and the key ",
                                domain::Quoted(head.key_id),
                                ", which is none of this server's keys: check the issuer, or renew the key set"));
  }
  cjose_err error{};
  const std::unique_ptr<cjose_jws_t, ReleaseJws> jws(cjose_jws_import(token.data(), token.size(), &error));
  if (jws == nullptr || !cjose_jws_verify(jws.get(), chosen->key.get(), &error))
    return Unknown("the JSON Web Token's signature is not that of its key");
  return absl::OkStatus();
}

}  // namespace warmline::server
