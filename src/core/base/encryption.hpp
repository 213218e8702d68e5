// What the operator demands of the way to a remote domain ([policy] encryption).
#pragma once
#include <cstdint>

namespace ligase {

enum class Encryption : std::uint8_t {
  required,   // TLS, or no stream (P11)
  preferred,  // TLS where the peer offers it
};

}  // namespace ligase
