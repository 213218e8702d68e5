#include "dns/forwarders.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

namespace ligase::dns {
namespace {

std::optional<std::string> normal_form(std::string_view text) {
  const std::size_t at = text.rfind('@');
  const std::string address(text.substr(0, at));
  std::uint16_t port = 53;
  if (at != text.npos) {
    const std::string_view digits = text.substr(at + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  }
  boost::system::error_code bad;
  boost::asio::ip::make_address(address, bad);
  if (bad) return std::nullopt;
  return address + "@" + std::to_string(port);
}

std::string_view next_word(std::string_view& rest) {
  const std::size_t from = rest.find_first_not_of(" \t\r");
  if (from == rest.npos) return rest = {};
  const std::size_t to = std::min(rest.find_first_of(" \t\r", from), rest.size());
  const std::string_view word = rest.substr(from, to - from);
  rest.remove_prefix(to);
  return word;
}

}  // namespace

std::vector<std::string> read_resolv_conf(std::string_view text) {
  constexpr std::size_t kMost = 3;  // MAXNS
  std::vector<std::string> found;
  while (!text.empty() && found.size() < kMost) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (next_word(line) != "nameserver") continue;
    if (auto forwarder = normal_form(next_word(line))) found.push_back(*std::move(forwarder));
  }
  if (found.empty()) found.push_back("127.0.0.1@53");
  return found;
}

Result<std::vector<std::string>> read_forwarders(const std::vector<std::string>& configured,
                                                 std::string_view resolv_conf) {
  if (configured.empty()) return read_resolv_conf(resolv_conf);
  if (configured.size() == 1 && configured.front() == "root") return std::vector<std::string>();
  std::vector<std::string> forwarders;
  for (const std::string& text : configured) {
    auto forwarder = normal_form(text);
    if (!forwarder) {
      return fail(Reason::config_invalid,
                  "not a resolver's address: \"" + text +
                      "\"; write \"192.0.2.1@53\", or \"root\" alone to ask from the root down");
    }
    forwarders.push_back(*std::move(forwarder));
  }
  return forwarders;
}

}  // namespace ligase::dns
