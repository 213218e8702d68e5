// fork and exec by hand: between them only what is allowed in a program that may have threads (signal-safety(7)).
#include "lab/child.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "lab/folder.hpp"

namespace ligase::lab {
namespace {

// In the child; returns only if it could not become the program.
void become(char* const* arguments, int log, pid_t parent) {
  setpgid(0, 0);
  // SIGKILL: a gateway that drains while nobody waits for it would outlive its folder.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) return;
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // the lab's sockets; where the kernel has no such call, they stay open
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(arguments[0], arguments);
}

std::string end_text(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status));
}

tl::unexpected<Error> cannot_start(const std::string& program, int error) {
  return fail(Reason::internal, "cannot start " + program + ": " + std::strerror(error));
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& arguments, const std::string& log_file) {
  std::vector<char*> raw;
  raw.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return cannot_start(arguments[0], errno);
  int report[2];  // closed by a successful exec, else holds its errno
  if (pipe2(report, O_CLOEXEC) != 0) {
    const int error = errno;
    close(log);
    return cannot_start(arguments[0], error);
  }
  const pid_t parent = getpid(), pid = fork();
  if (pid == 0) {
    become(raw.data(), log, parent);
    const int error = errno;
    [[maybe_unused]] const ssize_t told = write(report[1], &error, sizeof error);
    _exit(127);
  }
  int error = pid < 0 ? errno : 0;
  close(log);
  close(report[1]);
  if (pid > 0) {
    ssize_t count;
    do count = read(report[0], &error, sizeof error);
    while (count < 0 && errno == EINTR);
    if (count <= 0) error = 0;
  }
  close(report[0]);
  if (error == 0) return Child(pid, log_file);
  if (pid > 0) waitpid(pid, nullptr, 0);
  return cannot_start(arguments[0], error);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), log_file_(std::move(other.log_file_)), end_(std::move(other.end_)) {}

Child::~Child() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<std::string> Child::ended() {
  int status = 0;
  if (pid_ > 0 && waitpid(pid_, &status, WNOHANG) == pid_) {
    pid_ = 0;
    end_ = end_text(status);
  }
  return end_;
}

void Child::ask_to_end() const noexcept {
  if (pid_ > 0) kill(pid_, SIGTERM);
}

bool Child::has_logged(std::string_view words) {
  const auto log = read_file(log_file_);
  return log && log->find(words) != std::string::npos;
}

std::string Child::last_lines(std::size_t count) const {
  const auto log = read_file(log_file_);
  if (!log) return log.error().detail;
  std::string_view text = *log;
  while (text.ends_with('\n')) text.remove_suffix(1);
  std::size_t start = text.size();
  for (std::size_t i = 0; i < count && start != text.npos && start > 0; ++i) start = text.rfind('\n', start - 1);
  return std::string(text.substr(start == text.npos || start == 0 ? 0 : start + 1));
}

}  // namespace ligase::lab
