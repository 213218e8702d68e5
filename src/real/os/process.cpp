// setgroups, setgid, setuid; prctl and setrlimit.
#include "os/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace ligase::os {
namespace {

std::optional<Account> find_account(const char* name) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
  if (found->pw_uid == 0) return std::nullopt;
  return Account{name, found->pw_uid, found->pw_gid};
}

tl::unexpected<Error> cannot_become(const Account& account, std::string_view step) {
  return fail(Reason::internal, fmt::format("cannot become user {} ({}): {}; start ligase as that user instead",
                                            account.name, step, std::strerror(errno)));
}

}  // namespace

bool is_root() noexcept { return ::geteuid() == 0; }

Result<Account> unprivileged_account() {
  for (const char* name : {"ligase", "nobody"})
    if (auto account = find_account(name)) return std::move(*account);
  return fail(Reason::config_invalid,
              "started as root, and there is neither a user ligase nor nobody to become; add one: adduser --system "
              "--group ligase");
}

Result<void> hand_over(const std::string& path, const Account& account) {
  if (::lchown(path.c_str(), account.user, account.group) == 0) return {};
  return fail(Reason::file_unreadable, fmt::format("cannot give {} to user {}: {}; give it by hand: chown {} {}", path,
                                                   account.name, std::strerror(errno), account.name, path));
}

Result<void> become(const Account& account) {
  int signal_of_parents_death = 0;
  ::prctl(PR_GET_PDEATHSIG, &signal_of_parents_death, 0, 0, 0);
  if (::setgroups(0, nullptr) != 0) return cannot_become(account, "setgroups");
  if (::setresgid(account.group, account.group, account.group) != 0) return cannot_become(account, "setresgid");
  if (::setresuid(account.user, account.user, account.user) != 0) return cannot_become(account, "setresuid");
  if (account.user != 0 && ::setuid(0) == 0)
    return fail(Reason::internal, fmt::format("became user {}, yet root can be had back; is this a sandbox that "
                                              "keeps CAP_SETUID?",
                                              account.name));
  // A change of user forgets it, and whoever started us so wants us to end with it (prctl(2)).
  ::prctl(PR_SET_PDEATHSIG, signal_of_parents_death, 0, 0, 0);
  return {};
}

std::vector<std::string> unreadable_for(const Account& account, const std::vector<std::string>& paths) {
  std::vector<std::string> unreadable;
  int ends[2];
  if (paths.empty() || ::pipe2(ends, O_CLOEXEC) != 0) return unreadable;
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_it = become(account).has_value();
    for (const std::string& path : paths) {
      const int file = is_it ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
      const char answer = !is_it ? '?' : file >= 0 ? 'y' : 'n';
      if (::write(ends[1], &answer, 1) != 1) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  char answer = 0;
  for (const std::string& path : paths) {
    if (child < 0 || ::read(ends[0], &answer, 1) != 1) break;
    if (answer == 'n') unreadable.push_back(path);
  }
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return unreadable;
}

void refuse_core_dumps() noexcept {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

std::uint64_t raise_open_files() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

}  // namespace ligase::os
