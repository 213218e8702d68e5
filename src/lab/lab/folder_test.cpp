#include "lab/folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace ligase::lab {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  EXPECT_EQ(stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777u;
}

TEST(LabFolder, WhileItLives_OnlyItsOwnerReadsIt_AndThenAllIsGone) {
  std::string path;
  {
    auto folder = Folder::make();
    ASSERT_TRUE(folder);
    path = folder->path();
    EXPECT_EQ(mode_of(path), 0700u);
    ASSERT_TRUE(make_folder(path + "/one"));
    ASSERT_TRUE(write_file(path + "/one/secret", "s3cret"));
    EXPECT_EQ(mode_of(path + "/one/secret"), 0600u);
    EXPECT_EQ(read_file(path + "/one/secret").value(), "s3cret");
    Folder moved = std::move(*folder);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(LabFolder, FileThatExists_IsNotOverwritten) {
  const auto folder = Folder::make();
  ASSERT_TRUE(folder);
  ASSERT_TRUE(write_file(folder->path() + "/a", "1"));
  const auto again = write_file(folder->path() + "/a", "2");
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().detail.find("File exists"), std::string::npos) << again.error().detail;
}

class LabTmpdir : public ::testing::Test {
 protected:
  LabTmpdir() {
    if (const char* value = std::getenv("TMPDIR")) before_ = value;
  }
  ~LabTmpdir() override {
    if (before_)
      setenv("TMPDIR", before_->c_str(), 1);
    else
      unsetenv("TMPDIR");
  }
  std::optional<std::string> before_;
};

TEST_F(LabTmpdir, PlaceTooDeepForASocket_IsRefusedWithWhatToDo) {
  setenv("TMPDIR", ("/tmp/" + std::string(80, 'x')).c_str(), 1);
  const auto folder = Folder::make();
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().detail.find("set TMPDIR to a shorter one"), std::string::npos);
}

TEST_F(LabTmpdir, PlaceThatIsNotThere_IsNamed) {
  setenv("TMPDIR", "/nonexistent-here", 1);
  const auto folder = Folder::make();
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().detail.find("/nonexistent-here"), std::string::npos);
}

}  // namespace
}  // namespace ligase::lab
