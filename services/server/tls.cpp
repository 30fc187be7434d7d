#include "server/tls.h"

#include <absl/strings/str_cat.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>

#include "server/config_error.h"

namespace warmline::server {
namespace {

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

absl::StatusOr<std::unique_ptr<X509, Closer>> ReadCertificate(const std::string& path, const char* field) {
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr)
    return Invalid(field, absl::StrCat("cannot read ", path, ": check the path and its permissions"));
  std::unique_ptr<X509, Closer> certificate(PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return Invalid(field, absl::StrCat(path, " holds no certificate: give a PEM file"));
  return certificate;
}

absl::Status CheckPair(const Config& config) {
  auto certificate = ReadCertificate(config.tls_cert_file, "tls-cert-file");
  if (!certificate.ok()) return certificate.status();
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(config.tls_key_file.c_str(), "re"));
  if (file == nullptr) {
    return Invalid("tls-key-file",
                   absl::StrCat("cannot read ", config.tls_key_file, ": check the path and its permissions"));
  }
  const std::unique_ptr<EVP_PKEY, Closer> key(PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) {
    return Invalid("tls-key-file",
                   absl::StrCat(config.tls_key_file, " holds no private key: give a PEM file without a passphrase"));
  }
  if (X509_check_private_key(certificate->get(), key.get()) != 1) {
    return Invalid("tls-key-file", absl::StrCat(config.tls_key_file, " is not the key of the certificate in ",
                                                config.tls_cert_file, ": give files that belong together"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerCredentialsOf(const Config& config) {
  if (config.tls_cert_file.empty()) {
    if (!config.tls_key_file.empty())
      return Invalid("tls-cert-file", "is missing beside tls-key-file: give both, or neither");
    if (config.ops_tls)
      return Invalid("tls-cert-file", "is missing beside ops-tls: the operations port shows the same certificate");
    if (!config.tls_client_ca_file.empty())
      return Invalid("tls-cert-file", "is missing beside tls-client-ca-file: callers are known by TLS only");
    return grpc::InsecureServerCredentials();
  }
  if (config.tls_key_file.empty())
    return Invalid("tls-key-file", "is missing beside tls-cert-file: give both, or neither");
  if (auto status = CheckPair(config); !status.ok()) return status;
  if (!config.tls_client_ca_file.empty()) {
    auto authority = ReadCertificate(config.tls_client_ca_file, "tls-client-ca-file");
    if (!authority.ok()) return authority.status();
  }
  namespace tls = grpc::experimental;
  tls::TlsServerCredentialsOptions options(std::make_shared<tls::FileWatcherCertificateProvider>(
      config.tls_key_file, config.tls_cert_file, config.tls_client_ca_file, kTlsRefreshSeconds));
  options.watch_identity_key_cert_pairs();
  if (!config.tls_client_ca_file.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(options);
}

}  // namespace warmline::server
