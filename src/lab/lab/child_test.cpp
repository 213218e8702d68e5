#include "lab/child.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "lab/folder.hpp"

namespace ligase::lab {
namespace {

class LabChild : public ::testing::Test {
 protected:
  Result<Child> shell(const std::string& script) {
    return Child::start({"/bin/sh", "-c", script}, folder_->path() + "/log");
  }
  static std::string end_of(Child& child) {
    siginfo_t facts{};
    waitid(P_PID, child.pid(), &facts, WEXITED | WNOWAIT);
    return child.ended().value_or("still there");
  }
  Result<Folder> folder_ = Folder::make();
};

TEST_F(LabChild, WhatItWrites_IsInItsLog) {
  auto child = shell("echo to stdout; echo event=ready >&2");
  ASSERT_TRUE(child);
  EXPECT_EQ(end_of(*child), "exit code 0");
  EXPECT_TRUE(child->has_logged("event=ready"));
  EXPECT_FALSE(child->has_logged("event=started"));
  EXPECT_EQ(child->last_lines(1), "event=ready");
  EXPECT_EQ(child->last_lines(9), "to stdout\nevent=ready");
}

TEST_F(LabChild, ItsEnd_IsToldInWords) {
  auto failed = shell("exit 78"), killed = shell("kill -11 $$");
  ASSERT_TRUE(failed && killed);
  EXPECT_EQ(end_of(*failed), "exit code 78");
  EXPECT_EQ(failed->ended(), "exit code 78");  // asked again
  EXPECT_EQ(end_of(*killed), "signal 11");
}

TEST_F(LabChild, ProgramThatIsNotThere_IsAnErrorAtOnce) {
  const auto child = Child::start({"/nonexistent/ligase", "serve"}, folder_->path() + "/log");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().detail, "cannot start /nonexistent/ligase: No such file or directory");
}

TEST_F(LabChild, WhenTheObjectGoes_TheProcessIsGone) {
  pid_t pid = 0;
  {
    auto child = shell("trap '' TERM; while :; do read x; done < /dev/zero");
    ASSERT_TRUE(child);
    EXPECT_FALSE(child->ended());
    pid = child->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(LabChild, WhenItsParentIsKilled_TheKernelEndsIt) {
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    auto child = Child::start({"/bin/sleep", "1000"}, folder_->path() + "/log");
    const pid_t pid = child ? child->pid() : 0;
    if (write(told[1], &pid, sizeof pid) < 0) _exit(1);
    pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(read(told[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  ASSERT_GT(grandchild, 0);
  EXPECT_EQ(kill(grandchild, 0), 0);
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  // Whoever adopts it reaps it; until then it is a zombie, which signal 0 still finds: ask for its state.
  const auto is_alive = [&] {
    const auto stat = read_file("/proc/" + std::to_string(grandchild) + "/stat");
    return stat && stat->find(") Z") == std::string::npos && stat->find(") X") == std::string::npos;
  };
  for (int i = 0; i < 1000000 && is_alive(); ++i) sched_yield();
  EXPECT_FALSE(is_alive());
}

}  // namespace
}  // namespace ligase::lab
