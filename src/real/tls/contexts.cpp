// SSL_CTX objects, one a credential, the same for both roles. The peer's certificate is never verified here: the chain
// is kept and judged later. What the handshake does refuse is a chain too long to keep and a key too weak to agree
// with.
#include "tls/contexts.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/bytes.hpp"
#include "tls/callbacks.hpp"

namespace ligase::tls {
namespace {

struct FreeX509 {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using Certificate = std::unique_ptr<X509, FreeX509>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Bio = std::unique_ptr<BIO, FreeBio>;

constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// P-384 last: in TLS 1.2 a certificate with such a key can be shown only if its curve is in this list.
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kSignatures =
    "ECDSA+SHA256:ed25519:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384:ECDSA+SHA512:"
    "RSA-PSS+SHA512:RSA+SHA512";

tl::unexpected<Error> unusable(const Credential& credential, std::string_view what, std::string_view advice) {
  return fail(Reason::config_invalid, fmt::format("cannot use {}: {}; {}", credential.where, what, advice));
}

std::string library_text() {
  const unsigned long code = ERR_peek_last_error();
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "refused by the TLS library" : text;
}

std::vector<Certificate> read_certificates(const std::string& pem) {
  std::vector<Certificate> certificates;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    certificates.emplace_back(certificate);
  // The end of the text shows as "no start line"; anything else is a certificate that does not parse.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) certificates.clear();
  return certificates;
}

int no_password(char*, int, int, void*) { return -1; }

struct Identity {
  std::vector<Certificate> chain;  // leaf first
  Key key;
};

Result<Identity> read_identity(const Credential& credential) {
  ERR_clear_error();
  Identity identity{read_certificates(credential.certificate_pem), nullptr};
  if (identity.chain.empty())
    return unusable(credential, "no readable certificate in the PEM text",
                    "it must hold -----BEGIN CERTIFICATE-----, the server's first");
  ERR_clear_error();
  const Bio bio(
      BIO_new_mem_buf(credential.private_key_pem.data(), static_cast<int>(credential.private_key_pem.size())));
  identity.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!identity.key && credential.private_key_pem.find("ENCRYPTED") != std::string::npos)
    return unusable(credential, "its private key is encrypted", "store it without a pass phrase, mode 0600");
  if (!identity.key)
    return unusable(credential, "no readable private key in the PEM text",
                    "it must hold -----BEGIN PRIVATE KEY-----, or the RSA or EC form");
  X509* leaf = identity.chain.front().get();
  if (X509_check_private_key(leaf, identity.key.get()) != 1)
    return unusable(credential, "the private key is not the certificate's",
                    "name the two files that belong together; the server's certificate comes first in its file");
  return identity;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  return hex(BytesView(digest).first(size));
}

void apply_settings(SSL_CTX* context, MinimumVersion minimum) {
  SSL_CTX_set_min_proto_version(context, minimum == MinimumVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_clear_options(
      context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_LEGACY_SERVER_CONNECT);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_recv_max_early_data(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_max_cert_list(context, 64 * 1024);
}

bool apply_choices(SSL_CTX* context) {
  return SSL_CTX_set_cipher_list(context, kSuites12) == 1 && SSL_CTX_set_ciphersuites(context, kSuites13) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1 && SSL_CTX_set1_sigalgs_list(context, kSignatures) == 1 &&
         SSL_CTX_set1_client_sigalgs_list(context, kSignatures) == 1;
}

}  // namespace

Result<void> check(const Credential& credential) {
  auto made = Contexts::make(credential, {}, MinimumVersion::tls12);
  if (!made) return fail(std::move(made.error()));
  return {};
}

void Contexts::Free::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }
Contexts::~Contexts() = default;

Result<ssl_ctx_st*> Contexts::add(const Credential& credential, MinimumVersion minimum) {
  auto identity = read_identity(credential);
  if (!identity) return fail(std::move(identity.error()));
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_method()));
  if (!context) return fail(Reason::memory, "no memory for a TLS context");
  apply_settings(context.get(), minimum);
  install_callbacks(context.get());
  if (!apply_choices(context.get()))
    return fail(Reason::internal,
                "the TLS library lacks a cipher suite, group or signature that ligase needs: " + library_text());
  if (SSL_CTX_use_certificate(context.get(), identity->chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), identity->key.get()) != 1)
    return unusable(credential, library_text(),
                    "use an ECDSA P-256 or RSA key of at least 2048 bits, signed with SHA-256");
  for (std::size_t i = 1; i < identity->chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context.get(), identity->chain[i].get()) != 1)
      return unusable(credential, fmt::format("certificate {} in it: {}", i + 1, library_text()),
                      "leave it out, or have it reissued");
  shown_.push_back(std::make_unique<const Shown>(
      Shown{std::move(context), fingerprint_of(identity->chain.front().get()), staples_}));
  ssl_ctx_st* const added = shown_.back()->context.get();
  SSL_CTX_set_app_data(added, const_cast<Shown*>(shown_.back().get()));
  return added;
}

Result<std::shared_ptr<const Contexts>> Contexts::make(const Credential& own, const std::vector<For>& others,
                                                       MinimumVersion minimum, std::shared_ptr<const Staples> staples) {
  std::shared_ptr<Contexts> made(new Contexts());
  made->staples_ = std::move(staples);
  if (const auto added = made->add(own, minimum); !added) return fail(added.error());
  for (const For& other : others) {
    const auto added = made->add(other.credential, minimum);
    if (!added) return fail(added.error());
    for (const Domain& domain : other.domains) made->by_domain_.emplace(domain.text(), *added);
  }
  return made;
}

std::string_view Contexts::staple_of(ssl_ctx_st* context) {
  const auto* shown = static_cast<const Shown*>(SSL_CTX_get_app_data(context));
  return shown == nullptr || !shown->staples ? std::string_view() : shown->staples->find(shown->fingerprint);
}

ssl_ctx_st* Contexts::choose(const std::optional<Domain>& identity) const noexcept {
  const auto found = identity ? by_domain_.find(std::string(identity->text())) : by_domain_.end();
  return found == by_domain_.end() ? shown_.front()->context.get() : found->second;
}

bool Contexts::has_own_for(const std::optional<Domain>& identity) const noexcept {
  return identity && by_domain_.contains(std::string(identity->text()));
}

ssl_ctx_st* Contexts::by_server_name(std::string_view name) const {
  if (by_domain_.empty() || name.size() > 254) return nullptr;
  std::string lowered(name);
  if (lowered.ends_with('.')) lowered.pop_back();
  for (char& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto found = by_domain_.find(lowered);
  return found == by_domain_.end() ? nullptr : found->second;
}

}  // namespace ligase::tls
