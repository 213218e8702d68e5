// A packet socket on loopback (packet(7)), which shows each packet as it arrives.
#include "wire.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace ligase::bench {
namespace {

constexpr int kBuffer = 64 << 20;

}  // namespace

Result<std::unique_ptr<Wire>> Wire::open() {
  const int socket = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_IP));
  if (socket < 0)
    return fail(Reason::network_closed,
                "packets cannot be looked at here: " + std::generic_category().message(errno) + "; run it as root");
  std::unique_ptr<Wire> wire(new Wire(socket));
  (void)::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof kBuffer);
  sockaddr_ll loopback{};
  loopback.sll_family = AF_PACKET;
  loopback.sll_protocol = htons(ETH_P_IP);
  loopback.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) != 0)
    return fail(Reason::network_closed, "loopback: " + std::generic_category().message(errno));
  return wire;
}

Wire::~Wire() { ::close(socket_); }

void Wire::read() {
  unsigned char frame[128];  // as far as the headers go
  for (;;) {
    sockaddr_ll source{};
    socklen_t length = sizeof source;
    const ssize_t size =
        ::recvfrom(socket_, frame, sizeof frame, MSG_TRUNC, reinterpret_cast<sockaddr*>(&source), &length);
    if (size < 0) return;
    if (source.sll_pkttype == PACKET_OUTGOING || static_cast<std::size_t>(size) < sizeof(ether_header) + sizeof(iphdr))
      continue;
    iphdr ip;
    std::memcpy(&ip, frame + sizeof(ether_header), sizeof ip);
    const std::size_t at = sizeof(ether_header) + ip.ihl * 4u;
    const auto whole = static_cast<std::uint16_t>(ntohs(ip.tot_len));
    if (ip.protocol == IPPROTO_TCP && at + sizeof(tcphdr) <= sizeof frame) {
      tcphdr tcp;
      std::memcpy(&tcp, frame + at, sizeof tcp);
      const auto headers = static_cast<std::uint16_t>(ip.ihl * 4u + tcp.doff * 4u);
      packets_.push_back({ntohs(tcp.source), ntohs(tcp.dest), whole, static_cast<std::uint16_t>(whole - headers), true,
                          tcp.syn != 0 && tcp.ack == 0});
    } else if (ip.protocol == IPPROTO_UDP && at + sizeof(udphdr) <= sizeof frame) {
      udphdr udp;
      std::memcpy(&udp, frame + at, sizeof udp);
      packets_.push_back({ntohs(udp.source), ntohs(udp.dest), whole, 0, false, false});
    }
  }
}

void Wire::forget() {
  read();
  packets_.clear();
}

Traffic Wire::take(const std::set<std::uint16_t>& ports) {
  read();
  Traffic traffic;
  std::map<std::pair<std::uint16_t, std::uint16_t>, bool> answered;  // of a connection: the accepting end spoke last
  for (const Packet& packet : packets_) {
    const bool asks = ports.contains(packet.to);
    if (!asks && !ports.contains(packet.from)) continue;
    traffic.bytes += packet.size;
    if (!packet.is_tcp) {
      ++traffic.datagrams;
      continue;
    }
    const auto connection = asks ? std::pair(packet.from, packet.to) : std::pair(packet.to, packet.from);
    if (packet.is_syn) {
      ++traffic.connections;
      ++traffic.turns;
      answered[connection] = true;
    } else if (packet.payload > 0) {
      const auto [last, is_first] = answered.try_emplace(connection, true);
      if (asks && last->second) ++traffic.turns;
      last->second = !asks;
    }
  }
  return traffic;
}

}  // namespace ligase::bench
