#include "support/jwt_signer.h"

#include <absl/strings/escaping.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <cstdlib>

namespace warmline::testing {
namespace {

using Json = nlohmann::json;

constexpr int kP256Bytes = 32;

std::string Encoded(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

// A number of the key, as its bytes.
std::string NumberOf(EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) std::abort();
  std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BN_free(number);
  return bytes;
}

// JSON Web Signatures have both numbers as bytes, and not as ASN.1 (RFC 7518, section 3.4).
std::string Joined(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string bytes(2 * kP256Bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, kP256Bytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + kP256Bytes, kP256Bytes);
  ECDSA_SIG_free(pair);
  return bytes;
}

}  // namespace

JwtSigner JwtSigner::Rsa(const std::string& key_id, unsigned bits) { return {key_id, EVP_RSA_gen(bits)}; }

JwtSigner JwtSigner::Ec(const std::string& key_id) { return {key_id, EVP_EC_gen("P-256")}; }

Json JwtSigner::PublicKey() const {
  if (EVP_PKEY_is_a(key_.get(), "RSA") == 1) {
    return {{"kty", "RSA"},
            {"kid", key_id_},
            {"use", "sig"},
            {"n", Encoded(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N))},
            {"e", Encoded(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E))}};
  }
  return {{"kty", "EC"},
          {"kid", key_id_},
          {"crv", "P-256"},
          {"x", Encoded(NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, kP256Bytes))},
          {"y", Encoded(NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kP256Bytes))}};
}

std::string SignedPart(const Json& head, const Json& claims) {
  return Encoded(head.dump()) + "." + Encoded(claims.dump());
}

std::string JwtSigner::Sign(const Json& claims, const std::string& algorithm) const {
  return SignWith({{"alg", algorithm}, {"kid", key_id_}, {"typ", "JWT"}}, claims, algorithm);
}

std::string JwtSigner::SignWith(const Json& head, const Json& claims, const std::string& algorithm) const {
  const std::string text = SignedPart(head, claims);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  EVP_DigestSignInit(context, &options, EVP_sha256(), nullptr, key_.get());
  if (algorithm == "PS256") {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  EVP_DigestSign(context, nullptr, &size, bytes, text.size());
  std::string signature(size, '\0');
  if (EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, text.size()) != 1)
    std::abort();
  signature.resize(size);
  EVP_MD_CTX_free(context);
  return text + "." + Encoded(algorithm == "ES256" ? Joined(signature) : signature);
}

}  // namespace warmline::testing
