// A folder of a test's own, gone with it.
#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace ligase::test {

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ligase-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string text() const { return path_.string(); }
  void put(const std::string& name, const std::string& text, unsigned mode) const {
    std::ofstream(*this / name) << text;
    ::chmod((*this / name).c_str(), mode);
  }
  unsigned mode(const std::string& name) const {
    struct stat facts {};
    ::stat((*this / name).c_str(), &facts);
    return facts.st_mode & 07777;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace ligase::test
