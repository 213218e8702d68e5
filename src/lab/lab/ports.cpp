// The kernel chooses; we only keep others from it.
#include "lab/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lab/plan.hpp"

namespace ligase::lab {

Result<HeldPort> HeldPort::take() {
  const int held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (held < 0) return fail(Reason::internal, std::string("cannot make a socket: ") + std::strerror(errno));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, kLoopback, &address.sin_addr);
  socklen_t size = sizeof address;
  const int on = 1;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (setsockopt(held, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(held, raw, size) != 0 ||
      getsockname(held, raw, &size) != 0) {
    auto failed = fail(Reason::internal, std::string("no free port on ") + kLoopback + ": " + std::strerror(errno));
    close(held);
    return failed;
  }
  return HeldPort(held, ntohs(address.sin_port));
}

HeldPort::~HeldPort() {
  if (socket_ >= 0) close(socket_);
}

}  // namespace ligase::lab
