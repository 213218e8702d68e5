// Namespaces are entered by a child, so that the tests stay where they are.
#include "lab/own_network.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "lab/web.hpp"

namespace ligase::lab {
namespace {

constexpr int kCannot = 77;
constexpr uid_t kNobody = 65534;

int in_a_child(const std::function<int()>& task) {
  const pid_t child = fork();
  if (child == 0) _exit(task());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(LabOwnNetwork, PortThatAnybodyMayHave_NeedsNone) {
  EXPECT_EQ(in_a_child([] {
              const auto network = network_with(20443);
              return network && *network == Network::of_the_machine ? 0 : 1;
            }),
            0);
}

// Nobody in particular serves HTTPS, as the same user as before.
TEST(LabOwnNetwork, PrivilegedPort_IsThereForEverybody_WhereNamespacesAre) {
  const int outcome = in_a_child([] {
    if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return 1;
    prctl(PR_SET_DUMPABLE, 1);  // a change of user takes it, and with it one's own /proc/self
    const uid_t user = geteuid();
    const auto network = network_with(kHttpsPort);
    if (!network) return network.error().reason == Reason::config_invalid ? kCannot : 2;
    if (geteuid() != user) return 3;
    return WebServer::bind() ? 0 : 4;
  });
  if (outcome == kCannot) GTEST_SKIP() << "no user namespaces here";
  EXPECT_EQ(outcome, 0);
}

}  // namespace
}  // namespace ligase::lab
