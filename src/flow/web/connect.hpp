// A TCP connection to a host that has several addresses: happy eyeballs (RFC 8305, DNS-03).
#pragma once
#include <memory>
#include <vector>

#include "ground/ground.hpp"

namespace ligase::web {

struct Connected {
  std::unique_ptr<seams::Connection> connection;
  std::unique_ptr<ground::Attempts::Attempt> attempt;  // whoever connected says what came of it (AB-083)
};

// The first address that answers, in steps of 250 ms; each attempt has `connect_timeout`, all together until `deadline`.
// `by`: at whose word. Errors: the last attempt's, connect_timeout if there was none.
Task<Result<Connected>> connect_any(ground::Ground& ground, std::vector<Address> addresses, std::uint16_t port,
                                    Instant deadline, Ports ports, ground::Claimant by);

}  // namespace ligase::web
