#include "net/heard.hpp"

#include <linux/tcp.h>  // the whole of tcp_info; a file of its own, since <netinet/tcp.h> has a shorter one of the same name
#include <netinet/in.h>
#include <sys/socket.h>

namespace ligase::net {

namespace {

tcp_info facts_of(int socket) noexcept {
  tcp_info facts{};
  socklen_t size = sizeof facts;
  return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &facts, &size) == 0 ? facts : tcp_info{};
}

}  // namespace

std::uint64_t segments_received(int socket) noexcept { return facts_of(socket).tcpi_segs_in; }
Duration round_trip_of(int socket) noexcept { return std::chrono::microseconds(facts_of(socket).tcpi_rtt); }

}  // namespace ligase::net
