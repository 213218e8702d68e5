// open, fstat, read; and for the secret: write beside, fsync, link into place, fsync the folder.
#include "os/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/bytes.hpp"
#include "os/random.hpp"

namespace ligase::os {
namespace {

constexpr std::size_t kLargestFile = std::size_t{16} << 20;

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool is_open() const noexcept { return number_ >= 0; }
  int get() const noexcept { return number_; }

 private:
  int number_;
};

std::string system_text(int error) { return std::strerror(error); }

// At most `most` bytes, all the file has; nullopt with errno on failure.
std::optional<std::string> read_all(int file, std::size_t most) {
  std::string text;
  while (text.size() < most) {
    const std::size_t before = text.size();
    text.resize(std::min(most, before + 65536));
    const ssize_t got = ::read(file, text.data() + before, text.size() - before);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno != EINTR) return std::nullopt;
    if (got == 0) break;
  }
  return text;
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

tl::unexpected<Error> cannot(std::string_view what, const std::string& path, int error, std::string_view advice) {
  return fail(Reason::file_unreadable, fmt::format("cannot {} {}: {}; {}", what, path, system_text(error), advice));
}

// The existing secret; nullopt: there is none.
Result<std::optional<std::string>> read_secret(const std::string& path, std::size_t size) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open() && errno == ENOENT) return std::nullopt;
  if (!file.is_open()) return cannot("read the secret", path, errno, "check its owner and mode");
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return cannot("look at the secret", path, errno, "check the file system");
  if (!S_ISREG(facts.st_mode))
    return fail(Reason::file_unreadable, fmt::format("the secret {} is not a regular file; remove it", path));
  if ((facts.st_mode & 077) != 0)
    return fail(Reason::file_unreadable,
                fmt::format("the secret {} has mode {:04o}, open to others; if nobody has read it: chmod 600 {}, "
                            "else remove it and a new one is made",
                            path, facts.st_mode & 07777, path));
  auto text = read_all(file.get(), size + 1);
  if (!text) return cannot("read the secret", path, errno, "check the file system");
  if (text->size() != size)
    return fail(Reason::file_unreadable, fmt::format("the secret {} has {} bytes where {} are due; remove it and a new "
                                                     "one is made",
                                                     path, facts.st_size, size));
  return std::move(*text);
}

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  SystemRandom().fill(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  return bytes;
}

}  // namespace

tl::expected<config::FileFacts, std::string> SystemFiles::read(const std::string& path) const {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.is_open()) return tl::make_unexpected(system_text(errno));
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return tl::make_unexpected(system_text(errno));
  if (S_ISDIR(facts.st_mode)) return tl::make_unexpected(system_text(EISDIR));
  if (!S_ISREG(facts.st_mode)) return tl::make_unexpected(std::string("not a regular file"));
  auto text = read_all(file.get(), kLargestFile + 1);
  if (!text) return tl::make_unexpected(system_text(errno));
  if (text->size() > kLargestFile) return tl::make_unexpected(std::string("larger than 16 MiB"));
  return config::FileFacts{std::move(*text), static_cast<unsigned>(facts.st_mode & 07777)};
}

Result<void> make_private_folder(const std::string& path) {
  const std::filesystem::path folder(path);
  std::error_code error;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return cannot("make the folder", path, errno, "make it by hand, owned by the user ligase runs as");
  const Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) return cannot("open the folder", path, errno, "it must belong to the user ligase runs as");
  struct stat facts {};
  if (::fstat(opened.get(), &facts) != 0) return cannot("look at the folder", path, errno, "check the file system");
  if ((facts.st_mode & 07777) != 0700 && ::fchmod(opened.get(), 0700) != 0)
    return cannot("set mode 0700 on", path, errno, "it must belong to the user ligase runs as");
  return {};
}

Result<void> may_be_private_folder(const std::string& path, const std::vector<std::string>& ours) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return {};
    return cannot("look at the folder", path, errno, "name a folder of the gateway's own");
  }
  if (!S_ISDIR(facts.st_mode))
    return fail(Reason::config_invalid, fmt::format("{} is no folder; name a folder of the gateway's own", path));
  std::error_code error;
  std::string somebodys;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (std::ranges::find(ours, name) != ours.end()) return {};
    if (name != "lost+found") somebodys = name;  // an empty file system has that
  }
  if (error) return cannot("read the folder", path, error.value(), "it must belong to the user ligase runs as");
  if (somebodys.empty()) return {};
  return fail(
      Reason::config_invalid,
      fmt::format("{} is not empty (it holds {}), and was never a gateway's; name a folder of the gateway's own, "
                  "or one that does not exist yet",
                  path, escaped(somebodys, 80)));
}

Result<void> try_private_folder(const std::string& path) {
  std::filesystem::path missing(path);
  std::vector<std::string> to_make;  // innermost first
  struct stat facts {};
  while (!missing.empty() && ::stat(missing.c_str(), &facts) != 0 && errno == ENOENT) {
    to_make.push_back(missing);
    missing = missing.parent_path();
  }
  constexpr std::string_view advice = "make it by hand, owned by the user ligase runs as";
  std::size_t left = to_make.size();
  int failed = 0;
  for (; left > 0 && failed == 0; --left)
    if (::mkdir(to_make[left - 1].c_str(), 0700) != 0) failed = errno;
  const bool is_writable = failed == 0 && ::access(path.c_str(), R_OK | W_OK | X_OK) == 0;
  const int denied = errno;
  if (failed != 0) ++left;  // that one was not made
  for (std::size_t i = left; i < to_make.size(); ++i) ::rmdir(to_make[i].c_str());
  if (failed != 0) return cannot("make the folder", path, failed, advice);
  if (!is_writable) return cannot("write into the folder", path, denied, "it must belong to the user ligase runs as");
  return {};
}

Result<std::string> read_or_create_secret(const std::string& path, std::size_t size) {
  auto existing = read_secret(path, size);
  if (!existing) return fail(std::move(existing.error()));
  if (*existing) return std::move(**existing);

  const std::string beside = path + "." + hex(as_bytes(random_bytes(8)));
  constexpr std::string_view advice = "check the folder's owner, mode and free space";
  {
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return cannot("make the secret", beside, errno, advice);
    if (!write_all(file.get(), random_bytes(size)) || ::fsync(file.get()) != 0) {
      const int error = errno;
      ::unlink(beside.c_str());
      return cannot("write the secret", beside, error, advice);
    }
  }
  const int linked = ::link(beside.c_str(), path.c_str());  // never replaces: another process may have been first
  const int error = errno;
  ::unlink(beside.c_str());
  if (linked != 0 && error != EEXIST) return cannot("put the secret at", path, error, advice);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const Descriptor opened(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || ::fsync(opened.get()) != 0) return cannot("write the folder", folder, errno, advice);

  auto made = read_secret(path, size);
  if (!made) return fail(std::move(made.error()));
  if (!*made) return cannot("read the secret", path, ENOENT, "something removes it");
  return std::move(**made);
}

}  // namespace ligase::os
