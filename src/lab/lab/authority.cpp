// OpenSSL makes keys and certificates; every failure of it is one Error with its own words.
#include "lab/authority.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

namespace ligase::lab {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Text = std::unique_ptr<BIO, Freed<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

constexpr long kBackdated = -3600;  // seconds
constexpr Duration kAuthorityLifetime = std::chrono::hours(90 * 24);

tl::unexpected<Error> openssl_failed(const char* what) {
  std::array<char, 256> why{};
  ERR_error_string_n(ERR_get_error(), why.data(), why.size());
  ERR_clear_error();
  return fail(Reason::internal, std::string(what) + ": " + why.data());
}

template <class Write>
std::string written(Write&& write) {
  const Text text(BIO_new(BIO_s_mem()));
  if (!text || write(text.get()) != 1) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

bool extend(X509* certificate, X509* issuer, int which, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// RFC 5280 §5.2.1, §5.2.3: both are a must.
bool add_list_extensions(X509_CRL* list, X509* issuer) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, list, 0);
  const Extension key(X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid"));
  const std::unique_ptr<ASN1_INTEGER, Freed<ASN1_INTEGER_free>> number(ASN1_INTEGER_new());
  return key && number && X509_CRL_add_ext(list, key.get(), -1) == 1 && ASN1_INTEGER_set(number.get(), 1) == 1 &&
         X509_CRL_add1_ext_i2d(list, NID_crl_number, number.get(), 0, 0) == 1;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> random{};
  if (RAND_bytes(random.data(), random.size()) != 1) return false;
  random[0] = static_cast<unsigned char>((random[0] & 0x7f) | 0x40);  // positive, and of constant length
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_bin2bn(random.data(), random.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// Version 3, dates, subject, public key: everything but issuer, extensions and signature.
Certificate begin(EVP_PKEY* key, const std::string& common_name, Duration lifetime) {
  Certificate certificate(X509_new());
  if (!certificate) return nullptr;
  X509* raw = certificate.get();
  const auto* name = reinterpret_cast<const unsigned char*>(common_name.data());
  const bool fine =
      X509_set_version(raw, X509_VERSION_3) && set_serial(raw) &&
      X509_gmtime_adj(X509_getm_notBefore(raw), kBackdated) &&
      X509_gmtime_adj(X509_getm_notAfter(raw), std::chrono::duration_cast<std::chrono::seconds>(lifetime).count()) &&
      X509_NAME_add_entry_by_NID(X509_get_subject_name(raw), NID_commonName, MBSTRING_UTF8, name,
                                 static_cast<int>(common_name.size()), -1, 0) &&
      X509_set_pubkey(raw, key);
  return fine ? std::move(certificate) : nullptr;
}

bool sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  return X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
         extend(certificate, issuer, NID_authority_key_identifier, "keyid") &&
         X509_sign(certificate, issuer_key, EVP_sha256()) > 0;
}

Bytes spki_sha256(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return {};
  Bytes digest(32);
  EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return digest;
}

WallTime not_after(X509* certificate) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &fields) != 1) return {};
  return WallTime(std::chrono::seconds(timegm(&fields)));
}

std::string alternative_names(const Wanted& wanted) {
  std::string text;
  for (const std::string& host : wanted.hosts) text += (text.empty() ? "DNS:" : ",DNS:") + host;
  for (const std::string& domain : wanted.xmpp_domains)
    text += ",otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server." + domain;  // id-on-dnsSRV
  return text;
}

// `issuer` null: signs itself.
Result<Identity> make_identity(const Wanted& wanted, X509* issuer, EVP_PKEY* issuer_key) {
  const Key key(EVP_EC_gen("P-256"));
  if (!key || wanted.hosts.empty()) return openssl_failed("cannot make a key");
  const Certificate certificate = begin(key.get(), wanted.hosts.front(), wanted.lifetime);
  if (!certificate) return openssl_failed("cannot make a certificate");
  X509* raw = certificate.get();
  X509* signer = issuer != nullptr ? issuer : raw;
  EVP_PKEY* signer_key = issuer != nullptr ? issuer_key : key.get();
  const bool fine =
      extend(raw, signer, NID_subject_key_identifier, "hash") &&
      extend(raw, signer, NID_basic_constraints, "critical,CA:FALSE") &&
      extend(raw, signer, NID_key_usage, "critical,digitalSignature") &&
      extend(raw, signer, NID_ext_key_usage, wanted.for_clients ? "serverAuth,clientAuth" : "serverAuth") &&
      extend(raw, signer, NID_subject_alt_name, alternative_names(wanted)) && sign(raw, signer, signer_key);
  if (!fine) return openssl_failed("cannot sign a certificate");
  return Identity{written([&](BIO* out) { return PEM_write_bio_X509(out, raw); }), written([&](BIO* out) {
                    return PEM_write_bio_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
                  }),
                  spki_sha256(raw), not_after(raw)};
}

}  // namespace

struct Authority::State {
  Key key;
  Certificate certificate;
  std::string pem;
};

Authority::Authority(std::unique_ptr<State> state) : state_(std::move(state)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority::~Authority() = default;

Result<Authority> Authority::make() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("cannot make a key");
  Certificate certificate = begin(key.get(), "ligase lab CA", kAuthorityLifetime);
  if (!certificate) return openssl_failed("cannot make the authority's certificate");
  X509* raw = certificate.get();
  const bool fine = extend(raw, raw, NID_subject_key_identifier, "hash") &&
                    extend(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    extend(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign") && sign(raw, raw, key.get());
  if (!fine) return openssl_failed("cannot sign the authority's certificate");
  std::string pem = written([&](BIO* out) { return PEM_write_bio_X509(out, raw); });
  return Authority(std::make_unique<State>(State{std::move(key), std::move(certificate), std::move(pem)}));
}

const std::string& Authority::certificate() const noexcept { return state_->pem; }

Result<Identity> Authority::issue(const Wanted& wanted) const {
  return make_identity(wanted, state_->certificate.get(), state_->key.get());
}

Result<std::string> Authority::revocation_list(const std::vector<std::string>& certificates) const {
  constexpr long kMinuteAgo = -60, kDay = 24 * 3600;
  const std::unique_ptr<X509_CRL, Freed<X509_CRL_free>> list(X509_CRL_new());
  const std::unique_ptr<ASN1_TIME, Freed<ASN1_TIME_free>> from(X509_gmtime_adj(nullptr, kMinuteAgo)),
      until(X509_gmtime_adj(nullptr, kDay));
  bool fine = list && from && until && X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(state_->certificate.get())) == 1 &&
              X509_CRL_set1_lastUpdate(list.get(), from.get()) == 1 &&
              X509_CRL_set1_nextUpdate(list.get(), until.get()) == 1;
  for (const std::string& pem : certificates) {
    const Text text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const Certificate certificate(text ? PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr) : nullptr);
    std::unique_ptr<X509_REVOKED, Freed<X509_REVOKED_free>> entry(X509_REVOKED_new());
    fine = fine && certificate && entry &&
           X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate.get())) == 1 &&
           X509_REVOKED_set_revocationDate(entry.get(), from.get()) == 1 &&
           X509_CRL_add0_revoked(list.get(), entry.get()) == 1;
    if (fine) static_cast<void>(entry.release());  // the list's now
  }
  fine = fine && X509_CRL_sort(list.get()) == 1 && add_list_extensions(list.get(), state_->certificate.get()) &&
         X509_CRL_sign(list.get(), state_->key.get(), EVP_sha256()) > 0;
  if (!fine) return openssl_failed("cannot make a revocation list");
  return written([&](BIO* out) { return PEM_write_bio_X509_CRL(out, list.get()); });
}

Result<Identity> self_signed(const Wanted& wanted) { return make_identity(wanted, nullptr, nullptr); }

}  // namespace ligase::lab
