// TCP connections as the kernel sees them (/proc/net/tcp, /proc/net/tcp6): what the lab reports as `measured` comes
// from here, not from what a gateway says of itself.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ligase::lab {

struct KernelSocket {
  std::string local, remote;  // "0100007F:1466": as the kernel writes them, IPv4-mapped ones as IPv4
  std::uint16_t local_port = 0, remote_port = 0;
  bool is_established = false;
};

// One table's text; lines that are none are left out.
std::vector<KernelSocket> parse_kernel_table(std::string_view text);

// Established connections with one of `ports` at either end. On loopback both ends are ours and both stand in the
// table: each connection counts once.
std::size_t count_connections(const std::vector<KernelSocket>& sockets, std::span<const std::uint16_t> ports);

// Both tables of this machine, now; that of IPv6 may be missing.
Result<std::vector<KernelSocket>> read_kernel_tables();

}  // namespace ligase::lab
