// What the TLS library asks us during a handshake, and the record of what one session does that it counts itself:
// shared by the contexts, which install them, and the sessions, which they reach through SSL's application data.
#pragma once
#include <openssl/ssl.h>

#include "base/time.hpp"

namespace ligase::tls {

class Contexts;

// One session as the callbacks see it; SSL_set_app_data() leads here.
struct Watch {
  const Contexts* contexts = nullptr;  // to choose by SNI; null: the identity is fixed
  bool is_established = false;
  bool has_shown_certificate = false;  // as client
  // Handshake messages after the handshake (KeyUpdate, tickets, attempts to renegotiate): 8 at once, then 1 a second
  // (AB-044). More: `is_flooded`, and the session takes no further byte.
  double allowance = 8;
  Instant counted_at{};
  Instant now{};
  bool is_flooded = false;
  bool chain_too_long = false, key_too_weak = false;  // why the handshake was refused by us
};

inline constexpr int kLongestChain = 10;  // certificates (AB-049)

void install_callbacks(SSL_CTX* context);
// Counts this session's messages after the handshake.
void watch(SSL* session, Watch& record);

}  // namespace ligase::tls
