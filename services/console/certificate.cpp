#include "console/certificate.h"

#include <absl/strings/str_cat.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "domain/error.h"

namespace warmline::console {
namespace {

struct FreeBio {
  void operator()(BIO* file) const { BIO_free(file); }
};

}  // namespace

absl::StatusOr<std::shared_ptr<const Certificate>> Certificate::Read(const std::string& cert_file,
                                                                     const std::string& key_file) {
  auto certificate = std::make_shared<Certificate>();
  if (const std::unique_ptr<BIO, FreeBio> file(BIO_new_file(cert_file.c_str(), "r")); file != nullptr) {
    certificate->leaf_.reset(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
    while (X509* next = PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr))
      certificate->chain_.emplace_back(next);
  }
  if (const std::unique_ptr<BIO, FreeBio> file(BIO_new_file(key_file.c_str(), "r")); file != nullptr)
    certificate->key_.reset(PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();  // the end of the chain is one
  if (certificate->leaf_ == nullptr || certificate->key_ == nullptr ||
      X509_check_private_key(certificate->leaf_.get(), certificate->key_.get()) != 1) {
    domain::Violations violations;
    violations.Add("tls-cert-file",
                   absl::StrCat(cert_file, " and ", key_file,
                                " are no certificate and its key: give PEM files that belong together"));
    return violations.ToStatus();
  }
  return std::shared_ptr<const Certificate>(std::move(certificate));
}

bool Certificate::Use(SSL* connection) const {
  if (SSL_use_certificate(connection, leaf_.get()) != 1 || SSL_use_PrivateKey(connection, key_.get()) != 1)
    return false;
  for (const auto& link : chain_) {
    if (SSL_add1_chain_cert(connection, link.get()) != 1) return false;
  }
  return true;
}

}  // namespace warmline::console
