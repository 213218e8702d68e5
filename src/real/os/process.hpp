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

// So are the files in this folder of ours, which an earlier start may have given to another account; what is no plain file, or
// has another name elsewhere, stays as it is. Reason::file_unreadable.
Result<void> hand_over_files(const std::string& folder, const Account& account);

// Groups, group, user, in this order, for good: checked afterwards that root cannot be had back. Reason::internal.
Result<void> become(const Account& account);

// Which of `paths` that account could not read. Tried by a child that becomes it, so call it before there is a thread.
std::vector<std::string> unreadable_for(const Account& account, const std::vector<std::string>& paths);

// The first folder above `path` that one may not pass through, whom this process is or that account; empty: none. The second is
// tried by a child, as above.
std::string closed_above(const std::string& path);
std::string closed_above(const std::string& path, const Account& account);

// No core file and no ptrace by equals: keys and the dialback secret stay in this process.
void refuse_core_dumps() noexcept;

// Raises the soft limit to the hard one; the limit then in force.
std::uint64_t raise_open_files() noexcept;

}  // namespace ligase::os
