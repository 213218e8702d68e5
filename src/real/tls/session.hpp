// One TLS session without a socket: ciphertext in, plaintext out, and the other way. It reads where the caller's bytes
// lie and appends to the caller's string, so at rest it holds no buffer of its own. Never decides who the peer is.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/time.hpp"
#include "seams/network.hpp"
#include "tls/contexts.hpp"

namespace ligase::tls {

class Session {
 public:
  // Reason::memory if there is none. `contexts` is kept for the session's life.
  static Result<std::unique_ptr<Session>> make(std::shared_ptr<const Contexts> contexts,
                                               const seams::TlsRequest& request);
  ~Session();

  enum class State : std::uint8_t {
    handshaking,
    established,
    ended,   // the peer sent close_notify: nothing follows (RFC 8446 §6.1)
    failed,  // error() says why; an alert for the peer may be in `out`
  };
  State state() const noexcept { return state_; }
  // Meaningful when failed: tls_failed; external_refused where the peer's alert is about the certificate that we showed as client.
  const Error& error() const noexcept { return error_; }
  // As client: the server asked for a certificate, and ours was sent. What it thinks of it is known once it says something.
  bool has_shown_certificate() const noexcept;

  // Takes `cipher` from the front as far as it gets and appends what the peer must be sent to `out`. Plaintext is
  // gathered in `block` and given to `take`, valid for the call; where it answers false, feed() stops, and the next
  // feed() goes on there. Returns when the handshake is done, before any plaintext is given: call again.
  // A client's first call, with nothing, makes the ClientHello.
  using Take = std::function<bool(std::string_view)>;
  void feed(std::string_view& cipher, Instant now, std::string& out, std::span<char> block, const Take& take);

  // Encrypts into full records, appended to `out`. False: failed. Only when established (or ended: half-closed). Of what is
  // no longer than record_size() one record is made, which the peer can read whole or not at all.
  std::size_t record_size() const noexcept;
  bool write(std::string_view plain, std::string& out);
  // Appends close_notify, once.
  void close(std::string& out);

  // Of an established session (TLS-06).
  const seams::TlsFacts& facts() const noexcept { return facts_; }
  // The same, handed over: a session does not keep the peer's chain alive for those who no longer need it.
  seams::TlsFacts take_facts() noexcept { return std::exchange(facts_, {}); }

 private:
  struct Native;
  Session(std::unique_ptr<Native> native, seams::TlsRequest request);
  void handshake();
  void read(std::span<char> block, const Take& take);
  void fail_with(std::string detail);
  void fail_by_library();
  bool gather_facts();
  void take_staple();

  std::unique_ptr<Native> native_;
  seams::TlsRequest request_;
  State state_ = State::handshaking;
  Error error_{Reason::tls_failed, {}};
  seams::TlsFacts facts_;
  bool has_heard_ = false;  // something inside TLS
};

}  // namespace ligase::tls
