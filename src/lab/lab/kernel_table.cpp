// The format: proc(5). A line is "  12: LOCAL:PORT REMOTE:PORT STATE …", all in hexadecimal.
#include "lab/kernel_table.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>
#include <utility>

#include "lab/folder.hpp"

namespace ligase::lab {
namespace {

constexpr std::string_view kEstablished = "01";
constexpr std::string_view kMapped = "0000000000000000FFFF0000";  // ::ffff:0:0/96

bool read_end(std::string text, std::string& end, std::uint16_t& port) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) return false;
  const char* last = text.data() + text.size();
  if (std::from_chars(text.data() + colon + 1, last, port, 16).ptr != last) return false;
  if (text.starts_with(kMapped)) text.erase(0, kMapped.size());
  end = std::move(text);
  return true;
}

}  // namespace

std::vector<KernelSocket> parse_kernel_table(std::string_view text) {
  std::vector<KernelSocket> sockets;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, local, remote, state;
    KernelSocket socket;
    if (!(words >> number >> local >> remote >> state) || !number.ends_with(':')) continue;
    if (!read_end(local, socket.local, socket.local_port) || !read_end(remote, socket.remote, socket.remote_port))
      continue;
    socket.is_established = state == kEstablished;
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

std::size_t count_connections(const std::vector<KernelSocket>& sockets, std::span<const std::uint16_t> ports) {
  const auto is_ours = [&](std::uint16_t port) { return std::ranges::find(ports, port) != ports.end(); };
  std::set<std::pair<std::string, std::string>> connections;
  for (const KernelSocket& socket : sockets)
    if (socket.is_established && (is_ours(socket.local_port) || is_ours(socket.remote_port)))
      connections.insert(std::minmax(socket.local, socket.remote));
  return connections.size();
}

Result<std::vector<KernelSocket>> read_kernel_tables() {
  const auto first = read_file("/proc/net/tcp");
  if (!first) return fail(first.error());
  std::vector<KernelSocket> sockets = parse_kernel_table(*first);
  if (const auto second = read_file("/proc/net/tcp6"))
    for (KernelSocket& socket : parse_kernel_table(*second)) sockets.push_back(std::move(socket));
  return sockets;
}

}  // namespace ligase::lab
