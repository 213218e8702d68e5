// Certificate choice by SNI, ALPN (RFC 7301, XEP-0368), the accept-all verification that leaves judging to `judge`, and
// the count of messages after the handshake. None of them may let an exception through C code.
#include "tls/callbacks.hpp"

#include <openssl/x509.h>

#include <algorithm>
#include <new>
#include <string_view>

#include "tls/contexts.hpp"

namespace ligase::tls {
namespace {

constexpr double kMostAtOnce = 8;  // Watch::allowance when nothing came for long
constexpr std::size_t kEmptyCertificate =
    8;                            // at most: header, context and list of a Certificate message with none in it
constexpr int kWeakestKey = 112;  // bits of security: RSA 2048, any curve of ours (AB-043)

Watch* watch_of(SSL* session) { return static_cast<Watch*>(SSL_get_app_data(session)); }

int choose_certificate(SSL* session, int*, void*) {
  const Watch* record = watch_of(session);
  const char* name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
  if (record == nullptr || record->contexts == nullptr || name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  try {
    if (SSL_CTX* context = record->contexts->by_server_name(name)) SSL_set_SSL_CTX(session, context);
  } catch (const std::bad_alloc&) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  return SSL_TLSEXT_ERR_OK;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  constexpr std::string_view ours = "xmpp-server";
  for (unsigned int at = 0; at < offered_size;) {
    const unsigned int size = offered[at];
    if (size > offered_size - at - 1) break;  // the library checked the list; this only bounds the walk
    if (std::string_view(reinterpret_cast<const char*>(offered) + at + 1, size) == ours) {
      *chosen = offered + at + 1;
      *chosen_size = static_cast<unsigned char>(size);
      return SSL_TLSEXT_ERR_OK;
    }
    at += 1 + size;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol (AB-046)
}

// Accepts every certificate for later judgement, within bounds (TLS-02, AB-049, AB-043).
int keep_certificate(X509_STORE_CTX* store, void*) {
  auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Watch* record = session == nullptr ? nullptr : watch_of(session);
  if (record == nullptr) return 0;
  if (sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) > kLongestChain) {
    record->chain_too_long = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
    return 0;
  }
  EVP_PKEY* key = X509_get0_pubkey(X509_STORE_CTX_get0_cert(store));
  if (key == nullptr || EVP_PKEY_get_security_bits(key) < kWeakestKey) {
    record->key_too_weak = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_EE_KEY_TOO_SMALL);
    return 0;
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

// As server: the staple of the certificate that is shown, if there is one. As client: anything may have come, or nothing;
// it is read once the handshake is done.
int answer_status(SSL* session, void*) {
  if (SSL_is_server(session) != 1) return 1;
  try {
    const std::string_view staple = Contexts::staple_of(SSL_get_SSL_CTX(session));
    auto* copy = staple.empty() ? nullptr : static_cast<unsigned char*>(OPENSSL_memdup(staple.data(), staple.size()));
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(session, copy, static_cast<long>(staple.size()));  // owns it
    return SSL_TLSEXT_ERR_OK;
  } catch (const std::bad_alloc&) {
    return SSL_TLSEXT_ERR_NOACK;
  }
}

void count_message(int is_sent, int, int content, const void* message, std::size_t size, SSL* session, void* argument) {
  auto* record = static_cast<Watch*>(argument);
  if (is_sent != 0 && content == SSL3_RT_HANDSHAKE && SSL_is_server(session) == 0 && size > kEmptyCertificate &&
      *static_cast<const unsigned char*>(message) == SSL3_MT_CERTIFICATE)
    record->has_shown_certificate = true;
  if (is_sent != 0 || content != SSL3_RT_HANDSHAKE || !record->is_established) return;
  const std::chrono::duration<double> passed = record->now - record->counted_at;
  record->allowance = std::min(kMostAtOnce, record->allowance + std::max(0.0, passed.count()));
  record->counted_at = record->now;
  record->allowance -= 1;
  if (record->allowance < 0) record->is_flooded = true;
}

}  // namespace

void install_callbacks(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);  // asked for, not demanded
  SSL_CTX_set_cert_verify_callback(context, keep_certificate, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_tlsext_status_cb(context, answer_status);
}

void watch(SSL* session, Watch& record) {
  SSL_set_app_data(session, &record);
  SSL_set_msg_callback(session, count_message);
  SSL_set_msg_callback_arg(session, &record);
}

}  // namespace ligase::tls
