// What the process gives up and takes before the first outside byte: root's rights (SEC-01), core dumps with secrets in
// them (SEC-02), and as many descriptors as the system allows (AB-160). Nothing here happens unless it is called.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace ligase::os {

struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;
};

bool is_root() noexcept;

// Whom to become: the system's user `ligase` if there is one, else `nobody`. Reason::config_invalid: neither exists.
Result<Account> unprivileged_account();

// Gives the folder or file to `account`, so that it is still ours afterwards. Reason::file_unreadable.
Result<void> hand_over(const std::string& path, const Account& account);

// Groups, group, user, in this order, for good: checked afterwards that root cannot be had back. Reason::internal.
Result<void> become(const Account& account);

// Which of `paths` that account could not read. Tried by a child that becomes it, so call it before there is a thread.
std::vector<std::string> unreadable_for(const Account& account, const std::vector<std::string>& paths);

// No core file and no ptrace by equals: keys and the dialback secret stay in this process.
void refuse_core_dumps() noexcept;

// Raises the soft limit to the hard one; the limit then in force.
std::uint64_t raise_open_files() noexcept;

}  // namespace ligase::os
