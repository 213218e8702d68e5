// A TLS end straight on the library, for what ligase's own would never do: old versions, weak suites, floods, odd
// protocols. Bytes go by strings; the test carries them.
#pragma once
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/certificates.hpp"

namespace ligase::test {

class RawTls {
 public:
  enum class Side { client, server };
  explicit RawTls(Side side, const std::function<void(SSL_CTX*)>& configure = {}) {
    context_ = SSL_CTX_new(TLS_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, 0);
    if (configure) configure(context_);
    ssl_ = SSL_new(context_);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl_), -1);
    side == Side::client ? SSL_set_connect_state(ssl_) : SSL_set_accept_state(ssl_);
  }
  ~RawTls() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  RawTls(const RawTls&) = delete;
  RawTls& operator=(const RawTls&) = delete;

  SSL* ssl() { return ssl_; }

  // Takes what came, goes on, and gives what must be sent. Plaintext is appended to `received`.
  std::string feed(std::string_view bytes) {
    if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
    ERR_clear_error();
    char block[16384];
    for (;;) {
      const int count = SSL_read(ssl_, block, sizeof block);
      if (count <= 0) break;
      received.append(block, static_cast<std::size_t>(count));
    }
    return output();
  }
  std::string write(std::string_view plain) {
    ERR_clear_error();
    SSL_write(ssl_, plain.data(), static_cast<int>(plain.size()));
    return output();
  }
  std::string output() {
    std::string out(BIO_ctrl_pending(SSL_get_wbio(ssl_)), '\0');
    if (!out.empty()) BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
    return out;
  }
  bool is_established() const { return SSL_is_init_finished(ssl_) == 1; }

  std::string received;

 private:
  SSL_CTX* context_;
  SSL* ssl_;
};

// `certificate` and what follows it in `chain` is what this end shows.
inline void show(SSL_CTX* context, const MadeCertificate& certificate, const std::vector<MadeCertificate>& chain = {}) {
  SSL_CTX_use_certificate(context, detail::read_certificate(certificate.der).get());
  SSL_CTX_use_PrivateKey(context, detail::read_key(certificate.key_pem).get());
  for (const MadeCertificate& further : chain)
    SSL_CTX_add1_chain_cert(context, detail::read_certificate(further.der).get());
}

}  // namespace ligase::test
