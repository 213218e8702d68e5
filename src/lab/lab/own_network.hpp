// A place where port 443 may be had without root: POSH is fetched from there and from no other port (RFC 7711 §3), and the
// gateways must not be told otherwise for the lab's sake. See docs/decisions.
#pragma once
#include <cstdint>

#include "base/result.hpp"

namespace ligase::lab {

enum class Network : std::uint8_t {
  of_the_machine,
  own,  // a network namespace that only this process and its children see: nothing but loopback is in it
};

// Where this process may listen on `port` of loopback: where it is, or else in a network namespace of its own, into which
// it moves now (a user namespace with it, unless root). Before any thread is started. config_invalid: neither can be, with
// what to do.
Result<Network> network_with(std::uint16_t port);

}  // namespace ligase::lab
