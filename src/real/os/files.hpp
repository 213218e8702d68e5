// Files as the program meets them: read whole with their mode (config::Files), a private state folder, and the secret
// in it. A secret is never world-readable, never half-written, and never replaced once it exists (DB-01, SEC-02).
#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"

namespace ligase::os {

class SystemFiles final : public config::Files {
 public:
  // Regular files up to 16 MiB; the error is the system's sentence ("No such file or directory").
  tl::expected<config::FileFacts, std::string> read(const std::string& path) const override;
};

// Makes `path` (and what leads to it) a folder of mode 0700; an existing one is tightened if it is ours.
// Reason::file_unreadable with path and cause.
Result<void> make_private_folder(const std::string& path);

// May `path` be the gateway's own folder: is it absent, empty, or known by one of `ours` in it? Anything else is
// somebody's, and stays as it is. Reason::config_invalid, file_unreadable: why not, and what to do.
Result<void> may_be_private_folder(const std::string& path, const std::vector<std::string>& ours);

// Could make_private_folder(path) succeed, and could files be made in it? What it makes to find out it removes again.
Result<void> try_private_folder(const std::string& path);

// The content of `path`, exactly `size` bytes; made from the system's randomness, mode 0600, if it does not exist. Two
// processes that make it at once end with the same one. Refuses a file that others may read, or of another size.
// Reason::file_unreadable.
Result<std::string> read_or_create_secret(const std::string& path, std::size_t size = 32);

}  // namespace ligase::os
