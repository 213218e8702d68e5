// IP addresses as text and ranges, and which of them a stranger's DNS may make us connect to. The table is the IANA
// special-purpose registries (RFC 6890 and successors) read strictly: what is not plainly a public host is refused.
#include "name/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/bytes.hpp"

namespace ligase {
namespace {

constexpr std::size_t kLongestAddress = 45;  // "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"

// A number in decimal, without sign, spaces or leading zeros.
std::optional<unsigned> decimal(std::string_view text, unsigned most) noexcept {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= most ? std::optional(value) : std::nullopt;
}

bool has_prefix(const Address& address, const Address& network, unsigned prefix) noexcept {
  const unsigned whole = prefix / 8;
  if (!std::equal(network.bytes.begin(), network.bytes.begin() + whole, address.bytes.begin())) return false;
  const unsigned rest = prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF00u >> rest);
  return ((network.bytes[whole] ^ address.bytes[whole]) & mask) == 0;
}

constexpr Address v4(std::uint8_t a, std::uint8_t b = 0, std::uint8_t c = 0, std::uint8_t d = 0) {
  return Address{{a, b, c, d}, false};
}
constexpr Address v6(std::uint16_t a, std::uint16_t b = 0, std::uint16_t c = 0) {
  Address address{{}, true};
  const std::uint16_t groups[] = {a, b, c};
  for (std::size_t i = 0; i < 3; ++i) {
    address.bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    address.bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i]);
  }
  return address;
}

struct SpecialRange {
  Address network;
  unsigned prefix;
  std::string_view what;
};
constexpr SpecialRange kSpecialV4[] = {
    {v4(0), 8, "\"this network\" (RFC 791)"},
    {v4(10), 8, "private (RFC 1918)"},
    {v4(100, 64), 10, "shared address space (RFC 6598)"},
    {v4(127), 8, "loopback (RFC 1122)"},
    {v4(169, 254), 16, "link-local (RFC 3927)"},
    {v4(172, 16), 12, "private (RFC 1918)"},
    // Two anycast addresses in it are called globally reachable; they reach the nearest NAT, which is ours.
    {v4(192, 0, 0), 24, "IETF protocol assignments (RFC 6890)"},
    {v4(192, 0, 2), 24, "documentation (RFC 5737)"},
    {v4(192, 88, 99), 24, "6to4 relay anycast (RFC 7526)"},
    {v4(192, 168), 16, "private (RFC 1918)"},
    {v4(198, 18), 15, "benchmarking (RFC 2544)"},
    {v4(198, 51, 100), 24, "documentation (RFC 5737)"},
    {v4(203, 0, 113), 24, "documentation (RFC 5737)"},
    {v4(224), 4, "multicast (RFC 5771)"},
    {v4(240), 4, "reserved (RFC 1112)"},
};
// Within 2000::/3; outside of it nothing is a public host.
constexpr SpecialRange kSpecialV6[] = {
    {v6(0x2001), 23, "IETF protocol assignments (RFC 2928)"},
    {v6(0x2001, 0xdb8), 32, "documentation (RFC 3849)"},
    {v6(0x3fff), 20, "documentation (RFC 9637)"},
};
constexpr SpecialRange kOtherV6[] = {
    {v6(0xfc00), 7, "unique local (RFC 4193)"},
    {v6(0xfe80), 10, "link-local (RFC 4291)"},
    {v6(0xff00), 8, "multicast (RFC 4291)"},
};

constexpr Address kTeredo = v6(0x2001);
constexpr Address k6to4 = v6(0x2002);
constexpr Address kNat64 = v6(0x64, 0xff9b);
constexpr Address kMapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, true};

// The IPv4 addresses inside an IPv6 form; Teredo has two, its server's and, inverted, its client's.
struct Embedded {
  std::array<Address, 2> addresses;
  std::size_t count = 0;
};
Embedded embedded_in(const Address& address) noexcept {
  if (!address.is_v6) return {};
  const auto at = [&](std::size_t i, std::uint8_t flip = 0) {
    const auto byte = [&](std::size_t j) { return static_cast<std::uint8_t>(address.bytes[i + j] ^ flip); };
    return v4(byte(0), byte(1), byte(2), byte(3));
  };
  if (has_prefix(address, kMapped, 96) || has_prefix(address, kNat64, 96)) return {{at(12)}, 1};
  if (has_prefix(address, k6to4, 16)) return {{at(2)}, 1};
  if (has_prefix(address, kTeredo, 32)) return {{at(12, 0xFF), at(4)}, 2};
  return {};
}

// Why an address is no public host; empty if it is one.
std::string_view special_use_of(const Address& address) noexcept {
  const auto find = [&](const auto& ranges) -> std::string_view {
    for (const SpecialRange& range : ranges)
      if (has_prefix(address, range.network, range.prefix)) return range.what;
    return {};
  };
  if (!address.is_v6) return find(kSpecialV4);
  if (const Embedded inside = embedded_in(address); inside.count > 0) {
    for (std::size_t i = 0; i < inside.count; ++i)
      if (const std::string_view what = special_use_of(inside.addresses[i]); !what.empty()) return what;
    return {};
  }
  if (has_prefix(address, v6(0x2000), 3)) return find(kSpecialV6);
  if (address == Address{{}, true}) return "unspecified (RFC 4291)";
  if (address == Address{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, true}) return "loopback (RFC 4291)";
  const std::string_view what = find(kOtherV6);
  return what.empty() ? "outside of global unicast (RFC 4291)" : what;
}

// An IPv4-mapped address connects to the IPv4 address itself.
Address unmapped(const Address& address) noexcept {
  return address.is_v6 && has_prefix(address, kMapped, 96) ? embedded_in(address).addresses[0] : address;
}
bool is_unspecified(const Address& address) noexcept {
  return std::ranges::all_of(address.bytes, [](std::uint8_t byte) { return byte == 0; });
}
bool is_loopback(const Address& address) noexcept {
  return address.is_v6 ? special_use_of(address).starts_with("loopback") : address.bytes[0] == 127;
}

// Connecting to an unspecified address reaches this machine, as any loopback address does.
bool reaches(const Address& target, const Address& listener) noexcept {
  if (target == listener) return true;
  if (is_unspecified(listener)) return is_unspecified(target) || is_loopback(target);
  return is_unspecified(target) && is_loopback(listener);
}

}  // namespace

Address prefix_of(Address address) noexcept {
  if (address.is_v6) std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
  return address;
}

Address site_of(Address address) noexcept {
  if (address.is_v6) std::fill(address.bytes.begin() + 6, address.bytes.end(), std::uint8_t{0});
  return address;
}

Result<Address> Address::parse(std::string_view text) {
  Address address;
  if (text.size() <= kLongestAddress && text.find('\0') == std::string_view::npos) {
    const std::string terminated(text);
    address.is_v6 = text.find(':') != std::string_view::npos;
    if (inet_pton(address.is_v6 ? AF_INET6 : AF_INET, terminated.c_str(), address.bytes.data()) == 1) return address;
  }
  return fail(Reason::config_invalid, "\"" + escaped(text, 64) + "\" is no IP address");
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const auto no_endpoint = [&](std::string_view why) {
    return fail(Reason::config_invalid, "\"" + escaped(text, 64) + "\" is no address and port (" + std::string(why) +
                                            "); write 192.0.2.1:5269 or [2001:db8::1]:5269");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return no_endpoint("no port");
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const Result<Address> address = Address::parse(host);
  if (!address) return no_endpoint("no IP address");
  if (address->is_v6 != in_brackets) return no_endpoint("IPv6 addresses, and only they, stand in brackets");
  const std::optional<unsigned> port = decimal(text.substr(colon + 1), 65535);
  if (!port) return no_endpoint("the port is no number up to 65535");
  return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::string Endpoint::text() const {
  return address.is_v6 ? fmt::format("[{}]:{}", address.text(), port) : fmt::format("{}:{}", address.text(), port);
}

Result<AddressRange> AddressRange::parse(std::string_view text) {
  const auto no_range = [&](std::string_view why) {
    return fail(Reason::config_invalid,
                "\"" + escaped(text, 64) + "\" is no address range (" + std::string(why) + "); write 127.0.0.0/8");
  };
  const std::size_t slash = text.find('/');
  const Result<Address> address = Address::parse(text.substr(0, slash));
  if (!address) return no_range("no IP address");
  const unsigned longest = address->is_v6 ? 128 : 32;
  if (slash == std::string_view::npos) return AddressRange{*address, longest};
  const std::optional<unsigned> prefix = decimal(text.substr(slash + 1), longest);
  if (!prefix) return no_range(fmt::format("the prefix is no number up to {}", longest));
  AddressRange range{*address, *prefix};
  for (unsigned bit = *prefix; bit < longest; ++bit)
    range.network.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
  if (range.network != *address)
    return no_range(fmt::format("bits are set behind its prefix; {}/{} is meant?", range.network.text(), *prefix));
  return range;
}

bool AddressRange::contains(const Address& address) const noexcept {
  if (address.is_v6 == network.is_v6) return has_prefix(address, network, prefix);
  if (network.is_v6) return false;
  const Embedded inside = embedded_in(address);
  return std::any_of(inside.addresses.begin(), inside.addresses.begin() + inside.count,
                     [&](const Address& v4_address) { return has_prefix(v4_address, network, prefix); });
}

bool is_globally_routable(const Address& address) noexcept { return special_use_of(address).empty(); }

bool is_usable_port(std::uint16_t port, Ports ports) noexcept {
  return port >= 1024 || port == 443 || (port == 80 && ports == Ports::and_http);
}

Result<void> AddressGuard::check(const Endpoint& endpoint, Ports ports) const {
  const auto forbidden = [&](std::string_view why) {
    return fail(Reason::address_forbidden, fmt::format("{}: {}", endpoint.text(), why));
  };
  const Address target = unmapped(endpoint.address);
  for (const Endpoint& own : own_listeners)
    if (endpoint.port == own.port && reaches(target, unmapped(own.address)))
      return forbidden("this gateway's own listener");
  if (endpoint.port == 0) return forbidden("port 0");
  if (std::ranges::any_of(allowed, [&](const AddressRange& range) { return range.contains(target); })) return {};
  if (const std::string_view what = special_use_of(target); !what.empty()) return forbidden(what);
  if (!is_usable_port(endpoint.port, ports))
    return forbidden(ports == Ports::usual ? "a system port other than 443" : "a system port other than 80 and 443");
  return {};
}

}  // namespace ligase
