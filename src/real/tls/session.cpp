// SSL_do_handshake, SSL_read, SSL_write on a BIO of our own. The error queue is emptied before each call, since what an
// earlier session left there would be read as this one's.
#include "tls/session.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "proof/certificate.hpp"
#include "tls/callbacks.hpp"
#include "tls/wire.hpp"

namespace ligase::tls {
namespace {

constexpr std::size_t kRecord = 16 * 1024;  // most plaintext of one record (RFC 8446 §5.1)
constexpr long kLargestStaple = 64 * 1024;  // AB-066
constexpr int kAlertOffset = 1000;          // the library's reason codes for a peer's alerts: 1000 + the alert

std::string library_error() {
  const unsigned long code = ERR_peek_error();
  if (code == 0) return "the TLS library gives no reason";
  const int reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= kAlertOffset && reason < kAlertOffset + 256)
    return fmt::format("the peer sent the alert \"{}\"", SSL_alert_desc_string_long(reason - kAlertOffset));
  const char* text = ERR_reason_error_string(code);
  return text == nullptr ? fmt::format("error {:x} of the TLS library", code) : text;
}

// Alerts that judge a certificate (RFC 8446 §6.2).
bool is_of_certificate(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
      return true;
    default:
      return false;
  }
}
bool is_certificate_alert() {
  const unsigned long code = ERR_peek_error();
  return ERR_GET_LIB(code) == ERR_LIB_SSL && is_of_certificate(ERR_GET_REASON(code) - kAlertOffset);
}

std::string group_name(SSL* session) {
  switch (SSL_get_negotiated_group(session)) {
    case NID_X25519:
      return "X25519";
    case NID_X9_62_prime256v1:
      return "P-256";
    case NID_secp384r1:
      return "P-384";
    default:
      return {};
  }
}

Bytes der_of(X509* certificate) {
  Bytes der(static_cast<std::size_t>(std::max(0, i2d_X509(certificate, nullptr))));
  unsigned char* at = der.data();
  if (der.empty() || i2d_X509(certificate, &at) <= 0) return {};
  return der;
}

// Leaf first, in both roles: as server the library keeps the leaf beside the chain.
std::vector<Bytes> peer_certificates(SSL* session) {
  std::vector<Bytes> chain;
  X509* leaf = SSL_get0_peer_certificate(session);
  if (leaf == nullptr) return chain;
  chain.push_back(der_of(leaf));
  STACK_OF(X509)* rest = SSL_get_peer_cert_chain(session);
  for (int i = SSL_is_server(session) ? 0 : 1; i < sk_X509_num(rest); ++i)
    chain.push_back(der_of(sk_X509_value(rest, i)));
  return chain;
}

}  // namespace

struct Session::Native {
  ~Native() { SSL_free(ssl); }
  std::shared_ptr<const Contexts> contexts;
  Wire wire;
  Watch watch;
  SSL* ssl = nullptr;
};

Result<std::unique_ptr<Session>> Session::make(std::shared_ptr<const Contexts> contexts,
                                               const seams::TlsRequest& request) {
  auto native = std::make_unique<Native>();
  ERR_clear_error();
  native->ssl = SSL_new(contexts->choose(request.identity));
  BIO* bio = native->ssl == nullptr ? nullptr : make_bio(native->wire);
  if (bio == nullptr) return fail(Reason::memory, "no memory for a TLS session");
  SSL_set_bio(native->ssl, bio, bio);
  native->wire.is_cut = &native->watch.is_flooded;
  watch(native->ssl, native->watch);
  if (request.role == Role::receiving) {
    SSL_set_accept_state(native->ssl);
    if (!contexts->has_own_for(request.identity)) native->watch.contexts = contexts.get();
  } else {
    SSL_set_connect_state(native->ssl);
    SSL_set_tlsext_status_type(native->ssl, TLSEXT_STATUSTYPE_ocsp);  // a staple, if it has one (REV-02)
    if (!request.shows_certificate) SSL_certs_clear(native->ssl);
    if (!request.sni.empty() && SSL_set_tlsext_host_name(native->ssl, request.sni.c_str()) != 1)
      return fail(Reason::tls_failed, "the name is no server name for TLS: " + escaped(request.sni));
    if (!request.alpn.empty() && request.alpn.size() < 256) {
      const std::string offer = static_cast<char>(request.alpn.size()) + request.alpn;
      if (SSL_set_alpn_protos(native->ssl, as_bytes(offer).data(), static_cast<unsigned>(offer.size())) != 0)
        return fail(Reason::memory, "no memory for a TLS session");
    }
  }
  native->contexts = std::move(contexts);
  return std::unique_ptr<Session>(new Session(std::move(native), request));
}

Session::Session(std::unique_ptr<Native> native, seams::TlsRequest request)
    : native_(std::move(native)), request_(std::move(request)) {}
Session::~Session() = default;

void Session::feed(std::string_view& cipher, Instant now, std::string& out, std::span<char> block, const Take& take) {
  native_->wire.in = cipher;
  native_->wire.out = &out;
  native_->watch.now = now;
  if (state_ == State::handshaking)
    handshake();
  else if (state_ == State::established)
    read(block, take);
  if (state_ == State::ended || state_ == State::failed) native_->wire.in = {};  // what follows an end is nothing
  cipher = native_->wire.in;
  native_->wire.in = {};
  native_->wire.out = nullptr;
}

void Session::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(native_->ssl);
  if (result != 1) {
    if (SSL_get_error(native_->ssl, result) != SSL_ERROR_WANT_READ) fail_by_library();
    return;
  }
  native_->watch.is_established = true;
  native_->watch.counted_at = native_->watch.now;
  if (gather_facts()) state_ = State::established;
}

void Session::read(std::span<char> block, const Take& take) {
  bool goes_on = true;
  while (goes_on && state_ == State::established) {
    std::size_t filled = 0;
    while (filled < block.size()) {
      ERR_clear_error();
      const int result = SSL_read(native_->ssl, block.data() + filled, static_cast<int>(block.size() - filled));
      if (result > 0 && !native_->watch.is_flooded) {
        filled += static_cast<std::size_t>(result);
        continue;
      }
      goes_on = false;
      if (native_->watch.is_flooded)
        fail_with("too many handshake messages after the handshake (KeyUpdate or renegotiation)");
      else if (SSL_get_error(native_->ssl, result) == SSL_ERROR_ZERO_RETURN)
        state_ = State::ended;
      else if (SSL_get_error(native_->ssl, result) != SSL_ERROR_WANT_READ)
        fail_by_library();
      break;
    }
    has_heard_ |= filled > 0;
    if (filled > 0 && !take({block.data(), filled})) goes_on = false;
  }
}

// A client may have asked for smaller ones (RFC 6066 §4: 2^9 to 2^12).
std::size_t Session::record_size() const noexcept {
  const SSL_SESSION* session = SSL_get_session(native_->ssl);
  const unsigned asked = session == nullptr ? 0 : SSL_SESSION_get_max_fragment_length(session);
  return asked == 0 ? kRecord : std::size_t{256} << asked;
}

bool Session::write(std::string_view plain, std::string& out) {
  native_->wire.out = &out;
  while (!plain.empty() && state_ != State::failed) {
    const std::string_view record = plain.substr(0, kRecord);
    ERR_clear_error();
    const int result = SSL_write(native_->ssl, record.data(), static_cast<int>(record.size()));
    if (result <= 0)
      fail_by_library();
    else
      plain.remove_prefix(static_cast<std::size_t>(result));
  }
  native_->wire.out = nullptr;
  return state_ != State::failed;
}

void Session::close(std::string& out) {
  if (state_ != State::established && state_ != State::ended) return;
  native_->wire.out = &out;
  ERR_clear_error();
  if ((SSL_get_shutdown(native_->ssl) & SSL_SENT_SHUTDOWN) == 0) SSL_shutdown(native_->ssl);
  native_->wire.out = nullptr;
}

void Session::fail_with(std::string detail) {
  state_ = State::failed;
  error_.detail = std::move(detail);
}

void Session::fail_by_library() {
  const Watch& seen = native_->watch;
  if (seen.chain_too_long)
    fail_with(fmt::format("the peer's certificate chain has more than {} certificates", kLongestChain));
  else if (seen.key_too_weak)
    fail_with("the peer's certificate has a key weaker than RSA 2048");
  else if (seen.has_shown_certificate && !has_heard_ && is_certificate_alert()) {
    fail_with("the peer refuses our certificate inside TLS: " + library_error());
    error_.reason = Reason::external_refused;
  } else
    fail_with(library_error());
}

bool Session::has_shown_certificate() const noexcept { return native_->watch.has_shown_certificate; }

bool Session::gather_facts() {
  SSL* ssl = native_->ssl;
  facts_.version = SSL_get_version(ssl);
  facts_.has_shown_certificate = native_->watch.has_shown_certificate;
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const char* suite = cipher == nullptr ? nullptr : SSL_CIPHER_standard_name(cipher);
  facts_.cipher = suite == nullptr ? "" : suite;
  facts_.group = group_name(ssl);
  const unsigned char* alpn = nullptr;
  unsigned int alpn_size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &alpn_size);
  facts_.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_size);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  facts_.sni = request_.role == Role::initiating ? request_.sni : name == nullptr ? "" : name;
  if (request_.role == Role::initiating && !facts_.alpn.empty() && facts_.alpn != request_.alpn) {
    fail_with("the peer chose the application protocol \"" + escaped(facts_.alpn) + "\", which was not offered");
    return false;
  }
  take_staple();
  const std::vector<Bytes> certificates = peer_certificates(ssl);
  if (certificates.empty()) return true;
  auto chain = proof::Chain::parse(certificates);
  if (!chain) {
    fail_with("the peer's certificate cannot be read: " + chain.error().detail);
    return false;
  }
  facts_.peer_chain = std::move(*chain);
  return true;
}

// Handed over, so that no session keeps it; one that is too large is as good as none (AB-066).
void Session::take_staple() {
  if (request_.role != Role::initiating) return;
  const unsigned char* staple = nullptr;
  const long size = SSL_get_tlsext_status_ocsp_resp(native_->ssl, &staple);
  if (size > 0 && size <= kLargestStaple)
    facts_.ocsp_response.assign(reinterpret_cast<const char*>(staple), static_cast<std::size_t>(size));
  SSL_set_tlsext_status_ocsp_resp(native_->ssl, nullptr, 0);
}

}  // namespace ligase::tls
