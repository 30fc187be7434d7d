#include "support/process.h"

#include <grpcpp/create_channel.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <regex>

namespace warmline::testing {

ServeProcess::ServeProcess(const std::string& data_dir, const std::vector<std::string>& options,
                           const std::string& name, const std::function<void()>& in_child) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return;
  const std::string program = std::string(std::getenv("WARMLINE_BUILD")) + "/bin/" + name;
  pid_ = fork();
  if (pid_ == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when a test crashes
    if (in_child) in_child();
    std::vector<std::string> command = {program, "serve", "--data-dir", data_dir};
    if (std::find(options.begin(), options.end(), "--ops-listen") == options.end())
      command.insert(command.end(), {"--ops-listen", "127.0.0.1:0"});
    if (std::find(options.begin(), options.end(), "--listen") == options.end())
      command.insert(command.end(), {"--listen", "127.0.0.1:0"});
    command.insert(command.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (std::string& part : command) arguments.push_back(part.data());
    arguments.push_back(nullptr);
    execv(program.c_str(), arguments.data());
    _exit(127);
  }
  close(ends[1]);
  const bool quiet = std::find(options.begin(), options.end(), "off") != options.end();
  std::array<char, 4096> buffer{};
  static const std::regex kListens("listens on port ([0-9]+) \\(gRPC\\) and ([0-9]+) ");
  for (ssize_t size = 0; !quiet && port_ == 0 && (size = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    log_.append(buffer.data(), static_cast<std::size_t>(size));
    std::smatch match;
    if (std::regex_search(log_, match, kListens)) {
      port_ = std::stoi(match[1]);
      ops_port_ = std::stoi(match[2]);
    }
  }
  log_end_ = ends[0];  // the pipe stays open, so that the program can write its log on
  std::ifstream(server::OperatorTokenPath(data_dir)) >> token_;
}

std::int64_t ServeProcess::ResidentBytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
  std::int64_t all = 0;
  std::int64_t resident = 0;
  file >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

std::int64_t ServeProcess::PeakResidentBytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string word; file >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "VmHWM:" && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

const std::string& ServeProcess::ReadLog() {
  std::array<char, 4096> buffer{};
  for (pollfd end{log_end_, POLLIN, 0}; poll(&end, 1, 0) == 1 && (end.revents & POLLIN) != 0;) {
    const ssize_t size = read(log_end_, buffer.data(), buffer.size());
    if (size <= 0) break;
    log_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return log_;
}

void ServeProcess::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

ServeProcess::~ServeProcess() {
  Kill9();
  if (log_end_ >= 0) close(log_end_);
}

void ServeProcess::Kill9() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
}

int ServeProcess::WaitForEnd() {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, 0) != pid_) return -1;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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
