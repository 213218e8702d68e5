// Namespaces by system call; user and group keep their numbers, so that files look the same from in and outside.
#include "lab/own_network.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace ligase::lab {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const noexcept { return number_; }

 private:
  int number_;
};

// At an address that is not often taken: what matters is whether the port is allowed.
bool may_listen(std::uint16_t port) {
  const Descriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7F4C4142);  // 127.76.65.66
  return probe >= 0 && bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

bool write_once(const char* path, const std::string& text) {
  const Descriptor file(open(path, O_WRONLY | O_CLOEXEC));
  return file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool raise_loopback() {
  const Descriptor any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (any < 0 || ioctl(any, SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ioctl(any, SIOCSIFFLAGS, &request) == 0;
}

bool enter_own_network() {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  if (user == 0 && unshare(CLONE_NEWNET) == 0) return raise_loopback();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  return write_once("/proc/self/setgroups", "deny") &&
         write_once("/proc/self/uid_map", fmt::format("{0} {0} 1", user)) &&
         write_once("/proc/self/gid_map", fmt::format("{0} {0} 1", group)) && raise_loopback();
}

}  // namespace

Result<Network> network_with(std::uint16_t port) {
  if (may_listen(port)) return Network::of_the_machine;
  if (enter_own_network() && may_listen(port)) return Network::own;
  const int error = errno;
  return fail(Reason::config_invalid,
              fmt::format("this user may not listen on port {}, where POSH documents are fetched, nor have a network "
                          "namespace of its own: {}; allow the one (sysctl net.ipv4.ip_unprivileged_port_start={}) or "
                          "the other (user namespaces), or be root",
                          port, std::strerror(error), port));
}

}  // namespace ligase::lab
