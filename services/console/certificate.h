// A certificate chain and its key, for a port that speaks TLS. Values; thread-safe as such.
#pragma once

#include <absl/status/statusor.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

namespace warmline::console {

class Certificate {
 public:
  // From PEM files. Errors: INVALID_ARGUMENT (tls-cert-file), for files that cannot be read or do not fit together.
  [[nodiscard]] static absl::StatusOr<std::shared_ptr<const Certificate>> Read(const std::string& cert_file,
                                                                               const std::string& key_file);
  // Has one connection show it.
  [[nodiscard]] bool Use(SSL* connection) const;

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  std::unique_ptr<X509, Free> leaf_;
  std::vector<std::unique_ptr<X509, Free>> chain_;
  std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace warmline::console
