// Files by system call, so that a mode holds from the beginning and an error keeps its errno.
#include "lab/folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace ligase::lab {
namespace {

constexpr std::string_view kLongestBelow = "/one/state/control.sock";
constexpr std::size_t kMostRead = 64u << 20;

tl::unexpected<Error> errno_failed(const std::string& what) {
  return fail(Reason::file_unreadable, what + ": " + std::strerror(errno));
}

}  // namespace

Result<Folder> Folder::make() {
  const char* configured = std::getenv("TMPDIR");
  const std::string parent = configured != nullptr && *configured != '\0' ? configured : "/tmp";
  std::string path = parent + "/ligase-lab-XXXXXX";
  if (path.size() + kLongestBelow.size() >= sizeof(sockaddr_un::sun_path))
    return fail(Reason::file_unreadable,
                "the path of " + parent + " is too long for a Unix socket in it; set TMPDIR to a shorter one");
  if (mkdtemp(path.data()) == nullptr)
    return errno_failed("cannot make a temporary directory in " + parent + " (set TMPDIR to another place)");
  return Folder(std::move(path));
}

Folder::~Folder() {
  std::error_code ignored;  // nobody is left to tell
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<void> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0) return errno_failed("cannot make the directory " + path);
  return {};
}

Result<void> write_file(const std::string& path, std::string_view text, unsigned mode) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return errno_failed("cannot create " + path);
  while (!text.empty()) {
    const ssize_t count = write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      auto failed = errno_failed("cannot write " + path);
      close(file);
      return failed;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (close(file) != 0) return errno_failed("cannot write " + path);
  return {};
}

Result<std::string> read_file(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return errno_failed("cannot read " + path);
  std::string text;
  std::array<char, 16384> block;
  while (text.size() < kMostRead) {
    const ssize_t count = read(file, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      auto failed = errno_failed("cannot read " + path);
      close(file);
      return failed;
    }
    if (count == 0) break;
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  close(file);
  return text;
}

}  // namespace ligase::lab
