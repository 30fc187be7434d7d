// JSON Web Tokens and key sets as an issuer makes them, with OpenSSL alone: nothing here is shared with what checks
// them. One thread.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace warmline::testing {

class JwtSigner {
 public:
  // RS256 and PS256 with an RSA key of so many bits.
  static JwtSigner Rsa(const std::string& key_id, unsigned bits = 2048);
  // ES256.
  static JwtSigner Ec(const std::string& key_id);

  // The public key, as in a JSON Web Key Set.
  [[nodiscard]] nlohmann::json PublicKey() const;
  [[nodiscard]] std::string Sign(const nlohmann::json& claims, const std::string& algorithm) const;
  // With a head as given.
  [[nodiscard]] std::string SignWith(const nlohmann::json& head, const nlohmann::json& claims,
                                     const std::string& algorithm) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  JwtSigner(std::string key_id, EVP_PKEY* key) : key_id_(std::move(key_id)), key_(key) {}
  std::string key_id_;
  std::unique_ptr<EVP_PKEY, Free> key_;
};

// Head and claims, before the signature.
[[nodiscard]] std::string SignedPart(const nlohmann::json& head, const nlohmann::json& claims);

}  // namespace warmline::testing
