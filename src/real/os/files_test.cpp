// Files, modes, and a secret that two processes may want at once; and becoming somebody else, in a child process.
#include "os/files.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "os/process.hpp"
#include "support/folder.hpp"

namespace ligase::os {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

using test::Folder;

TEST(SystemFiles, File_IsReadWholeWithItsMode) {
  Folder folder;
  folder.put("key.pem", std::string(100'000, 'k'), 0640);
  const auto read = SystemFiles().read(folder / "key.pem");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text.size(), 100'000u);
  EXPECT_EQ(read->mode, 0640u);
}

TEST(SystemFiles, WhatIsNoReadableFile_SaysWhy) {
  Folder folder;
  EXPECT_EQ(SystemFiles().read(folder / "none").error(), "No such file or directory");
  EXPECT_EQ(SystemFiles().read(folder.text()).error(), "Is a directory");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(SystemFiles().read(folder / "pipe").error(), "not a regular file");  // and does not wait for a writer
  folder.put("huge", std::string((16u << 20) + 1, 'x'), 0600);
  EXPECT_EQ(SystemFiles().read(folder / "huge").error(), "larger than 16 MiB");
}

TEST(PrivateFolder, IsMadeWithItsParents_AndTightened) {
  Folder folder;
  ASSERT_TRUE(make_private_folder(folder / "a/b"));
  EXPECT_EQ(folder.mode("a/b"), 0700u);
  ::chmod((folder / "a/b").c_str(), 0755);
  ASSERT_TRUE(make_private_folder(folder / "a/b"));
  EXPECT_EQ(folder.mode("a/b"), 0700u);
  folder.put("file", "", 0600);
  const auto result = make_private_folder(folder / "file");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, Reason::file_unreadable);
  EXPECT_THAT(result.error().detail, HasSubstr("Not a directory"));
}

TEST(Secret, IsMadeOnce_ThenRead) {  // DB-01, SEC-03
  Folder folder;
  const auto made = read_or_create_secret(folder / "dialback");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->size(), 32u);
  EXPECT_EQ(folder.mode("dialback"), 0600u);
  EXPECT_EQ(read_or_create_secret(folder / "dialback"), made);
  EXPECT_NE(*read_or_create_secret(folder / "other"), *made);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.text()), {}), 2);  // nothing half-made is left
}

TEST(Secret, OpenToOthersOrOfAnotherSize_IsRefusedNotReplaced) {  // SEC-02
  Folder folder;
  folder.put("open", std::string(32, 's'), 0644);
  const auto open = read_or_create_secret(folder / "open");
  ASSERT_FALSE(open);
  EXPECT_THAT(open.error().detail, HasSubstr("mode 0644, open to others"));
  EXPECT_THAT(open.error().detail, ::testing::Not(HasSubstr("ssss")));
  folder.put("short", "s", 0600);
  EXPECT_FALSE(read_or_create_secret(folder / "short"));
  ::symlink((folder / "elsewhere").c_str(), (folder / "link").c_str());
  EXPECT_FALSE(read_or_create_secret(folder / "link"));
  EXPECT_FALSE(read_or_create_secret(folder / "none/secret"));
  EXPECT_EQ(folder.mode("open"), 0644u);
}

TEST(Secret, ManyProcessesAtOnce_EndWithTheSame) {
  Folder folder;
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto secret = read_or_create_secret(folder / "shared");
      if (secret) std::ofstream(folder / ("seen" + std::to_string(i))) << *secret;
      ::_exit(secret ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const auto secret = read_or_create_secret(folder / "shared");
  for (int i = 0; i < 8; ++i) EXPECT_EQ(SystemFiles().read(folder / ("seen" + std::to_string(i)))->text, *secret);
}

TEST(Process, RootBecomesSomebodyElse_ForGood) {  // SEC-01
  if (!is_root()) GTEST_SKIP() << "only root can give its rights away";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto account = unprivileged_account();
    if (!account || !become(*account)) ::_exit(1);
    gid_t groups[1];
    const bool is_whole = ::getuid() == account->user && ::geteuid() == account->user && ::getgid() == account->group &&
                          ::getgroups(1, groups) == 0 && ::setuid(0) != 0 && ::setgid(0) != 0 && !is_root();
    ::_exit(is_whole ? 0 : 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Process, SomebodyElse_CannotBecomeAnother) {  // SEC-01
  const pid_t child = ::fork();
  if (child == 0) {
    if (is_root() && ::setuid(65534) != 0) ::_exit(1);
    ::_exit(become({"root", 0, 0}) ? 2 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Process, HandedOverFolder_BelongsToTheAccount) {  // SEC-01
  if (!is_root()) GTEST_SKIP() << "only root can give files away";
  Folder folder;
  ASSERT_TRUE(make_private_folder(folder / "state"));
  ASSERT_TRUE(hand_over(folder / "state", {"nobody", 65534, 65534}));
  struct stat facts {};
  ::stat((folder / "state").c_str(), &facts);
  EXPECT_EQ(facts.st_uid, 65534u);
  EXPECT_FALSE(hand_over(folder / "none", {"nobody", 65534, 65534}));
}

// AB-243: an earlier start gave them to nobody, and now there is a user of its own. A second name of somebody's file is not given.
TEST(Process, FilesOfAHandedOverFolder_BelongToTheAccount) {
  if (!is_root()) GTEST_SKIP() << "only root can give files away";
  Folder folder;
  ASSERT_TRUE(make_private_folder(folder / "state"));
  const std::string learned = folder / "state/learned.sqlite", other = folder / "other";
  for (const std::string& file : {learned, other}) std::ofstream(file) << "x";
  ::link(other.c_str(), (folder / "state/planted").c_str());
  ::symlink(other.c_str(), (folder / "state/link").c_str());
  ::mkfifo((folder / "state/fifo").c_str(), 0600);
  ASSERT_TRUE(hand_over_files(folder / "state", {"nobody", 65534, 65534}));
  struct stat facts {};
  ::stat(learned.c_str(), &facts);
  EXPECT_EQ(facts.st_uid, 65534u);
  ::stat(other.c_str(), &facts);
  EXPECT_EQ(facts.st_uid, 0u);
}

// AB-243: what lies below a folder that the account may not pass through is not there for it, whatever modes it has itself.
TEST(Process, FolderThatIsClosed_IsNamed) {
  if (!is_root()) GTEST_SKIP() << "root passes everywhere, and others have no account to try";
  Folder folder;
  const Account nobody{"nobody", 65534, 65534};
  ::chmod(folder.text().c_str(), 0755);
  ::mkdir((folder / "closed").c_str(), 0700);
  ::mkdir((folder / "closed/gw").c_str(), 0755);
  ::mkdir((folder / "open").c_str(), 0755);
  EXPECT_EQ(closed_above(folder / "closed/gw/state", nobody), folder / "closed");
  EXPECT_EQ(closed_above(folder / "open/gw/state", nobody), "");
  EXPECT_EQ(closed_above(folder / "closed/gw/state"), "");  // root
}

TEST(Process, OpenFiles_AreRaisedToTheHardLimit) {  // AB-160
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit before = limit;
  limit.rlim_cur = 128;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(raise_open_files(), before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Process, CoreDumps_AreRefused) {  // SEC-02
  const pid_t child = ::fork();
  if (child == 0) {
    refuse_core_dumps();
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    ::_exit(limit.rlim_max == 0 ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace ligase::os
