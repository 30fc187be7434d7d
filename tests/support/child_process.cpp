#include "support/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

namespace warmline::testing {
namespace {

// PostgreSQL refuses to run as root.
const passwd* PostgresUser() { return getuid() == 0 ? getpwnam("postgres") : nullptr; }

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, bool as_postgres, const std::string& log_path) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));  // NOLINT
  arguments.push_back(nullptr);
  const passwd* user = as_postgres ? PostgresUser() : nullptr;
  pid_ = fork();
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when a test crashes
  const int output = open(log_path.empty() ? "/dev/null" : log_path.c_str(), O_RDWR | O_CREAT | O_APPEND, 0644);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (user != nullptr && (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) _exit(126);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

bool ChildProcess::Wait() {
  int status = -1;
  if (pid_ > 0) waitpid(pid_, &status, 0);
  pid_ = -1;
  return status == 0;
}

void ChildProcess::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

void ChildProcess::Stop() {
  Signal(SIGCONT);
  Signal(SIGINT);  // PostgreSQL: fast shutdown
  Wait();
}

void ChildProcess::Kill9() {
  Signal(SIGKILL);
  Wait();
}

int FreePort() {
  // Below the ports that outgoing connections take, and with room for a Cluster's bus 10000 above.
  static std::mt19937 random(static_cast<unsigned>(getpid()));
  while (true) {
    const int port = 20'000 + static_cast<int>(random() % 10'000);
    const auto is_free = [](int candidate) {
      const int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<std::uint16_t>(candidate));
      const bool bound = bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
      close(socket_fd);
      return bound;
    };
    if (is_free(port) && is_free(port + 10'000)) return port;
  }
}

std::string TemporaryDirectory(const std::string& name, bool for_postgres) {
  const char* base = std::getenv("TMPDIR");
  std::string path = std::string(base == nullptr ? "/tmp" : base) + "/warmline-" + name + "-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return {};
  if (const passwd* user = for_postgres ? PostgresUser() : nullptr; user != nullptr) {
    if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) return {};
  }
  return path;
}

}  // namespace warmline::testing
