// A TCP connection to a host that has several addresses: happy eyeballs (RFC 8305, DNS-03).
#pragma once
#include <vector>

#include "ground/ground.hpp"

namespace ligase::web {

// The first address that answers, in steps of 250 ms; each attempt has `connect_timeout`, all together until `deadline`.
// Errors: the last attempt's, connect_timeout if there was none.
Task<Result<std::unique_ptr<seams::Connection>>> connect_any(ground::Ground& ground, std::vector<Address> addresses,
                                                             std::uint16_t port, Instant deadline, Ports ports);

}  // namespace ligase::web
