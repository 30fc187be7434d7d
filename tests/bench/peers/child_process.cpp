#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peers/peer.h"

namespace warmline::bench {

ChildProcess::ChildProcess(const std::vector<std::string>& command, bool as_postgres) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));  // NOLINT
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  // PostgreSQL refuses to run as root.
  if (const passwd* user = as_postgres && getuid() == 0 ? getpwnam("postgres") : nullptr; user != nullptr) {
    if (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) _exit(126);
  }
  execvp(arguments[0], arguments.data());
  _exit(127);
}

bool ChildProcess::Wait() {
  int status = -1;
  if (pid_ > 0) waitpid(pid_, &status, 0);
  pid_ = -1;
  return status == 0;
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGINT);  // PostgreSQL: fast shutdown
  waitpid(pid_, nullptr, 0);
}

}  // namespace warmline::bench
