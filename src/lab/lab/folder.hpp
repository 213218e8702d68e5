// The lab's folder: everything it writes lies below one temporary directory that only its owner can read, and that is
// gone when this object is.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace ligase::lab {

class Folder {
 public:
  // Below $TMPDIR, or /tmp. Refuses a place whose path is too long for the control sockets in it.
  static Result<Folder> make();
  Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder();

  const std::string& path() const noexcept { return path_; }

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  std::string path_;  // empty: moved from
};

Result<void> make_folder(const std::string& path);  // mode 0700
// A new file, with these permission bits from the first byte on.
Result<void> write_file(const std::string& path, std::string_view text, unsigned mode = 0600);
// At most 64 MiB of it.
Result<std::string> read_file(const std::string& path);

}  // namespace ligase::lab
