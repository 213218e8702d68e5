// IP addresses and the guard on outgoing connections (ADDR-01, AB-143).
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ligase {

// An IPv4 or IPv6 address, in network order.
struct Address {
  std::array<std::uint8_t, 16> bytes{};  // IPv4: the first four
  bool is_v6 = false;

  static Result<Address> parse(std::string_view text);  // "192.0.2.1", "2001:db8::1"; no zone, no brackets
  std::string text() const;
  auto operator<=>(const Address&) const = default;
};

// Who counts as one where strangers are counted: an IPv4 address, or an IPv6 /64; its first address.
Address prefix_of(Address address) noexcept;
// Whoever has many such prefixes: an IPv6 /48, as it is given to anybody who asks; of IPv4 the address alone.
Address site_of(Address address) noexcept;

struct Endpoint {
  Address address;
  std::uint16_t port = 0;
  // "127.0.0.1:5269", "[::]:5269"
  static Result<Endpoint> parse(std::string_view text);
  std::string text() const;
  auto operator<=>(const Endpoint&) const = default;
};

struct AddressRange {
  Address network;
  unsigned prefix = 0;
  static Result<AddressRange> parse(std::string_view text);  // "127.0.0.0/8", or one address
  // An IPv4-mapped, NAT64, 6to4 or Teredo form is judged by the IPv4 address inside it as well.
  bool contains(const Address& address) const noexcept;
  bool operator==(const AddressRange&) const = default;
};

// Globally routable unicast by the IANA special-purpose registries (RFC 6890 and successors), including the IPv4 address
// inside mapped, NAT64, 6to4 and Teredo forms.
bool is_globally_routable(const Address& address) noexcept;

// The ports of a public address that may be connected to (ADDR-02, AB-145): 443 and those >= 1024 (5269, 5270 among them);
// 80 beside them only for plain HTTP, where OCSP responders and CRLs are.
enum class Ports : std::uint8_t { usual, and_http };
bool is_usable_port(std::uint16_t port, Ports ports) noexcept;

// Asked at connect, of the address actually connected to, each time.
struct AddressGuard {
  std::vector<AddressRange> allowed;    // [dns] allow_addresses
  std::vector<Endpoint> own_listeners;  // never connected to; an unspecified address stands for all
  // Reason::address_forbidden with the address and why, or success. Ports other than `ports`: only to an address in
  // `allowed`.
  Result<void> check(const Endpoint& endpoint, Ports ports = Ports::usual) const;
};

}  // namespace ligase
