#include "cli/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/commands.h"
#include "cli/program.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/config.h"

namespace warmline::cli {
namespace {

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const ClientOptions& options) {
  if (options.tls_ca_file.empty()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = TextOf(options.tls_ca_file);
  tls.pem_cert_chain = TextOf(options.tls_cert_file);
  tls.pem_private_key = TextOf(options.tls_key_file);
  return grpc::SslCredentials(tls);
}

}  // namespace

void ClientOptions::AddTo(CLI::App& command) {
  AddOption(command, "server", server, "host:port of the gRPC API");
  AddOption(command, "pool", pool, "Pool id")->required();
  AddOption(command, "token", token, "Token of the caller");
  AddOption(command, "token-file", token_file, "File that holds the token; without both, operator.token of --data-dir");
  AddOption(command, "data-dir", data_dir, "Data directory of a server on this machine");
  CLI::Option* authority = AddOption(command, "tls-ca-file", tls_ca_file,
                                     "PEM file of the authority of the server's certificate; with it, TLS");
  authority->check(CLI::ExistingFile);
  CLI::Option* certificate = AddOption(command, "tls-cert-file", tls_cert_file,
                                       "PEM file of the caller's certificate, where the server asks for one");
  CLI::Option* key = AddOption(command, "tls-key-file", tls_key_file, "PEM file of its key");
  certificate->check(CLI::ExistingFile)->needs(authority)->needs(key);
  key->check(CLI::ExistingFile)->needs(certificate);
  AddOption(command, "timeout-ms", timeout_ms, "Deadline of the call")->check(CLI::Range(1, 86'400'000));
  AddOption(command, "output", output, "table or json")->check(CLI::IsMember({"table", "json"}));
}

Client::Client(const ClientOptions& options) : options_(options), token_(options.token) {
  if (token_.empty()) {
    std::ifstream file(options.token_file.empty() ? server::OperatorTokenPath(options.data_dir) : options.token_file);
    file >> token_;
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(64 * 1024 * 1024);
  channel_ = grpc::CreateCustomChannel(options.server, CredentialsOf(options), arguments);
}

std::unique_ptr<grpc::ClientContext> Client::Context(int timeout_ms) const {
  auto context = std::make_unique<grpc::ClientContext>();
  if (!token_.empty()) context->AddMetadata("authorization", "Bearer " + token_);
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::milliseconds(timeout_ms == 0 ? options_.timeout_ms : timeout_ms));
  return context;
}

int Client::Fail(const std::string& command, const grpc::Status& status) const {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  std::string reason;
  google::rpc::BadRequest bad_request;
  for (const auto& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (detail.UnpackTo(&info)) reason = info.reason();
    detail.UnpackTo(&bad_request);
  }
  std::cerr << "warmline " << command << ": ";
  if (reason.empty() && status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    std::cerr << "no server answers at " << options_.server
              << ": start one with `warmline serve`, or name it with --server\n";
  } else if (bad_request.field_violations_size() > 0) {
    std::cerr << "the request is wrong\n";
    for (const auto& violation : bad_request.field_violations())
      std::cerr << "  " << violation.field() << ": " << violation.description() << "\n";
  } else {
    std::cerr << status.error_message() << (reason.empty() ? "" : " [" + reason + "]") << "\n";
  }
  if (reason == "TOKEN_MISSING")
    std::cerr << "  give --token or --token-file, or --data-dir of a server on this machine\n";
  return kFailed;
}

warmline::v1::Actor OperatorActor() {
  warmline::v1::Actor actor;
  actor.set_audience(warmline::v1::OPERATOR);
  return actor;
}

}  // namespace warmline::cli
