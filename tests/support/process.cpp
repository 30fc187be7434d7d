#include "support/process.h"

#include <grpcpp/create_channel.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <regex>

namespace warmline::testing {

ServeProcess::ServeProcess(const std::string& data_dir) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return;
  const std::string program = std::string(std::getenv("WARMLINE_BUILD")) + "/bin/warmline";
  pid_ = fork();
  if (pid_ == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    execl(program.c_str(), program.c_str(), "serve", "--data-dir", data_dir.c_str(), "--listen", "127.0.0.1:0",
          "--ops-listen", "127.0.0.1:0", nullptr);
    _exit(127);
  }
  close(ends[1]);
  std::array<char, 4096> buffer{};
  static const std::regex kListens("listens on port ([0-9]+) ");
  for (ssize_t size = 0; port_ == 0 && (size = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    log_.append(buffer.data(), static_cast<std::size_t>(size));
    std::smatch match;
    if (std::regex_search(log_, match, kListens)) port_ = std::stoi(match[1]);
  }
  // The pipe stays open, so that the program can write its log on.
  std::ifstream(server::OperatorTokenPath(data_dir)) >> token_;
}

ServeProcess::~ServeProcess() { Kill9(); }

void ServeProcess::Kill9() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
}

std::shared_ptr<grpc::Channel> ServeProcess::Connect() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port_), grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<grpc::ClientContext> ServeProcess::Context(int timeout_ms) const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("authorization", "Bearer " + token_);
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  return context;
}

}  // namespace warmline::testing
