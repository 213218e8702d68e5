// setgroups, setgid, setuid; prctl and setrlimit.
#include "os/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
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

tl::unexpected<Error> cannot_give(const std::string& path, const Account& account, int error) {
  return fail(Reason::file_unreadable, fmt::format("cannot give {} to user {}: {}; give it by hand: chown {} {}", path,
                                                   account.name, std::strerror(error), account.name, path));
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
              "started as root, and there is neither a user ligase nor nobody to become; add one: useradd --system "
              "--user-group ligase");
}

Result<void> hand_over(const std::string& path, const Account& account) {
  if (::lchown(path.c_str(), account.user, account.group) == 0) return {};
  return cannot_give(path, account, errno);
}

Result<void> hand_over_files(const std::string& folder, const Account& account) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) continue;  // a socket, a link
    struct stat facts {};
    // Who owned the folder could have made a second name of another's file there, for root to give it to him.
    const bool is_plain = ::fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_nlink == 1;
    const bool is_given = !is_plain || ::fchown(file, account.user, account.group) == 0;
    const int why = errno;
    ::close(file);
    if (!is_given) return cannot_give(entry.path().string(), account, why);
  }
  return {};
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

namespace {

// Those of `paths` that `may` denies to the account.
std::vector<std::string> denied_to(const Account& account, const std::vector<std::string>& paths,
                                   bool (*may)(const char* path)) {
  std::vector<std::string> denied;
  int ends[2];
  if (paths.empty() || ::pipe2(ends, O_CLOEXEC) != 0) return denied;
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_it = become(account).has_value();
    for (const std::string& path : paths) {
      const char answer = !is_it ? '?' : may(path.c_str()) ? 'y' : 'n';
      if (::write(ends[1], &answer, 1) != 1) ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  char answer = 0;
  for (const std::string& path : paths) {
    if (child < 0 || ::read(ends[0], &answer, 1) != 1) break;
    if (answer == 'n') denied.push_back(path);
  }
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return denied;
}

bool may_read(const char* path) {
  return ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) >= 0;  // of a child that ends
}

bool may_pass(const char* path) { return ::access(path, X_OK) == 0 || errno != EACCES; }

// From the root down; what is not there yet is made by the process itself.
std::vector<std::string> folders_above(const std::string& path) {
  std::error_code error;
  std::vector<std::string> folders;
  std::filesystem::path folder = std::filesystem::absolute(path, error).parent_path();
  for (; folder.has_relative_path(); folder = folder.parent_path()) folders.push_back(folder.string());
  std::ranges::reverse(folders);
  return folders;
}

}  // namespace

std::vector<std::string> unreadable_for(const Account& account, const std::vector<std::string>& paths) {
  return denied_to(account, paths, may_read);
}

std::string closed_above(const std::string& path) {
  for (std::string& folder : folders_above(path))
    if (!may_pass(folder.c_str())) return std::move(folder);
  return {};
}

std::string closed_above(const std::string& path, const Account& account) {
  const std::vector<std::string> closed = denied_to(account, folders_above(path), may_pass);
  return closed.empty() ? std::string() : closed.front();
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
