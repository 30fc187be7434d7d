// What the client commands share: where the server is, who calls, and how an error is told. One thread.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "warmline/v1/types.pb.h"

namespace warmline::cli {

struct ClientOptions {
  std::string server = "127.0.0.1:7700";
  std::string pool;
  std::string token;
  std::string token_file;
  std::string data_dir = "warmline-data";
  std::string tls_ca_file;  // empty, with the next two: not encrypted
  std::string tls_cert_file;
  std::string tls_key_file;
  int timeout_ms = 10'000;
  std::string output = "table";

  // Adds the options that every client command has.
  void AddTo(CLI::App& command);
  [[nodiscard]] bool json() const { return output == "json"; }
  [[nodiscard]] std::string parent() const { return "pools/" + pool; }
};

class Client {
 public:
  explicit Client(const ClientOptions& options);
  [[nodiscard]] const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // A context with token and deadline; `timeout_ms` 0: the options'.
  [[nodiscard]] std::unique_ptr<grpc::ClientContext> Context(int timeout_ms = 0) const;
  // Says on stderr what went wrong, field by field, and what to do. Returns kFailed.
  int Fail(const std::string& command, const grpc::Status& status) const;

 private:
  ClientOptions options_;
  std::string token_;
  std::shared_ptr<grpc::Channel> channel_;
};

[[nodiscard]] warmline::v1::Actor OperatorActor();

}  // namespace warmline::cli
