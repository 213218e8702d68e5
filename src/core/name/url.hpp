// An http or https URL as certificates and documents of strangers hold it (RFC 3986, RFC 9110 §4.2): read once, strictly,
// into what a request is made of. No user information, no address literals, no fragment.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "name/domain.hpp"

namespace ligase {

struct Url {
  // At most 2048 bytes of visible ASCII. The target begins with "/" and may hold a query; a fragment is dropped.
  // Error: name_invalid.
  static Result<Url> parse(std::string_view text);

  bool is_https;
  HostName host;
  std::uint16_t port;  // 443 or 80 where the text has none
  std::string target;
  std::string text() const;  // the port always written
  auto operator<=>(const Url&) const = default;
};

}  // namespace ligase
