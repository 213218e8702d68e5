// Byte connections with TLS inside, from outside: sockets, or a simulated network. Everything here runs on one loop;
// callbacks come from it and never from inside a call to the connection, except where said.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "name/address.hpp"
#include "name/pair.hpp"
#include "proof/certificate.hpp"
#include "task.hpp"

namespace ligase::seams {

// What one TLS session showed (TLS-06).
struct TlsFacts {
  std::string version, cipher, group, alpn, sni;   // "TLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519"; alpn, sni may be ""
  std::shared_ptr<const proof::Chain> peer_chain;  // null: no certificate shown
  std::string ocsp_response{};         // as client: stapled by the server (RFC 6066 §8), hostile; may be ""
  bool has_shown_certificate = false;  // as client: the server asked for one, and ours was sent
};

struct TlsRequest {
  Role role;
  // Whose certificate we show: the hosted domain whose [[tls.for]] applies; nullopt or none configured: the gateway's.
  // As server, SNI may still choose another [[tls.for]] when this is nullopt (TLS-02).
  std::optional<Domain> identity;
  std::string sni;   // as client: the service domain (TLS-03)
  std::string alpn;  // as client: offered if not empty
  // As client: false towards those to whom we are nobody, a web server say.
  bool shows_certificate = true;
};

// A connection's own buffer: on_writable() comes when queued() falls below the low mark after it was above the high one.
// Whoever writes looks at queued() against a mark of its own and keeps what goes beyond: write() refuses nothing.
constexpr std::size_t kHighMark = 256 * 1024, kLowMark = 64 * 1024;

// What had been written when a connection ended and never left whole: what was given to one write() is a piece, and no part
// of a piece that is here can be of use to the peer. In order; pieces of the stream itself (a header, an answer) too.
struct Pieces {
  std::string bytes;              // clear text, also where it was to leave encrypted
  std::vector<std::size_t> ends;  // of each piece, in `bytes`
};
struct Unsent : Pieces {
  // Of a connection in clear: the pieces before those, which left and were not acknowledged. The peer may have them, or not;
  // where its machine died, it has not.
  Pieces unacknowledged{};
  // Wire bytes that left and were not acknowledged. What the peer's kernel has acknowledged and the peer itself never read is
  // known to nobody.
  std::uint64_t uncertain = 0;
};

// Why a connection is not read: each reason is given and taken back by itself, and bytes come when none is left.
enum class Pause : std::uint8_t {
  procedure,  // what was read asks for an answer first
  full,       // what is read can be neither delivered nor kept
  answers,    // this peer does not take the answers that it has
};

// An exception out of any of these (no memory, say) costs this connection alone: it is aborted and on_closed() comes with
// Reason::memory or ::internal. One out of on_closed() itself is the loop's to report.
class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void on_bytes(std::string_view bytes) = 0;  // valid for the call; clear text of the session
  // The handshake is done, or failed: tls_failed, tls_timeout, tls_injection; external_refused: the peer refuses the certificate
  // that we show as client, which in TLS 1.3 comes with on_closed().
  virtual void on_tls(const Result<TlsFacts>& facts) = 0;
  virtual void on_writable() = 0;
  // The last call: network_closed, tls_truncated, external_refused, connect_…; after close() too.
  virtual void on_closed(const Error& why) = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;             // aborts if still open; no callback after it
  virtual void start(Receiver& receiver) = 0;  // begins reading; the receiver outlives the connection or calls abort()
  // Takes bytes into the sending record; they leave when this turn's input is used up (gathered: full TLS records). Without
  // memory for them the connection ends, in a later turn. After close() and after the end they are dropped.
  virtual void write(std::string_view bytes) = 0;
  // TLS from here on. Bytes written before leave in clear first. Received and not yet given bytes: tls_injection (AB-040).
  virtual void start_tls(TlsRequest request) = 0;
  virtual void pause_reading(Pause why = Pause::procedure) = 0;
  virtual void resume_reading(Pause why = Pause::procedure) = 0;
  virtual std::size_t queued() const = 0;  // bytes written and not yet taken by the network
  // Once, when the connection has ended: from on_closed() on, or after abort(). Nothing of it is sent any more.
  virtual Unsent take_unsent() = 0;
  // How many segments have come from the other machine, acknowledgements too: where more come after a write, somebody is there.
  virtual std::uint64_t heard() const = 0;
  // From here to the other machine and back, as measured lately; zero: not known.
  virtual Duration round_trip() const = 0;
  // Orderly: what is queued leaves, TLS close_notify, TCP close; on_closed follows within `patience` whatever the peer does.
  virtual void close(Duration patience) = 0;
  virtual void abort() = 0;  // at once; no callback follows
  virtual Endpoint remote() const = 0;
  virtual Endpoint local() const = 0;
};

class Dialer {
 public:
  virtual ~Dialer() = default;
  // One TCP connection. The address guard is asked here, of the very endpoint connected to (ADDR-01, ADDR-02).
  // Errors: address_forbidden, connect_refused, connect_timeout (at `deadline`), network_closed.
  virtual Task<Result<std::unique_ptr<Connection>>> connect(Endpoint endpoint, Instant deadline, Ports ports) = 0;
};

}  // namespace ligase::seams
