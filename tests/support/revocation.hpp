// OCSP responses and CRLs made on the spot for tests, well-formed or deliberately not. Header-only, beside
// certificates.hpp; never for anything but tests.
#pragma once
#include <openssl/ocsp.h>

#include "support/certificates.hpp"

namespace ligase::test {

struct OcspSpec {
  enum class Says : std::uint8_t { good, revoked, unknown } says = Says::good;
  WallTime this_update = day(2026, 11, 24);
  std::optional<WallTime> next_update = day(2026, 11, 25);
  int reason = OCSP_REVOKED_STATUS_KEYCOMPROMISE;
  WallTime revoked_at = day(2026, 11, 20);
  const MadeCertificate* signer = nullptr;        // null: the issuer
  bool brings_signer = true;                      // where it is not the issuer
  const MadeCertificate* named_issuer = nullptr;  // whose key and name the certificate id has; null: the issuer's
  bool by_sha256 = false;                         // the certificate id
  bool has_nonce = false;
  bool signs_with_sha1 = false;
};

namespace detail {

using OcspBasicPtr = std::unique_ptr<OCSP_BASICRESP, Deleter<OCSP_BASICRESP_free>>;
using OcspPtr = std::unique_ptr<OCSP_RESPONSE, Deleter<OCSP_RESPONSE_free>>;
using OcspIdPtr = std::unique_ptr<OCSP_CERTID, Deleter<OCSP_CERTID_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;

inline TimePtr generalized(WallTime time) {
  return TimePtr(must(ASN1_GENERALIZEDTIME_set(nullptr, time.time_since_epoch().count())));
}

}  // namespace detail

// DER. `leaf` and its issuer; the rest as `spec` says.
inline std::string make_ocsp(const MadeCertificate& leaf, const MadeCertificate& issuer, const OcspSpec& spec = {}) {
  using namespace detail;
  const X509Ptr leaf_certificate = read_certificate(leaf.der);
  const X509Ptr named = read_certificate(spec.named_issuer != nullptr ? spec.named_issuer->der : issuer.der);
  const MadeCertificate& signer = spec.signer != nullptr ? *spec.signer : issuer;
  const X509Ptr signer_certificate = read_certificate(signer.der);
  const KeyPtr key = read_key(signer.key_pem);
  const OcspBasicPtr basic(must(OCSP_BASICRESP_new()));
  const OcspIdPtr id(
      must(OCSP_cert_to_id(spec.by_sha256 ? EVP_sha256() : EVP_sha1(), leaf_certificate.get(), named.get())));
  const TimePtr from = generalized(spec.this_update), revoked_at = generalized(spec.revoked_at);
  const TimePtr until = spec.next_update ? generalized(*spec.next_update) : nullptr;
  const bool is_revoked = spec.says == OcspSpec::Says::revoked;
  must(OCSP_basic_add1_status(basic.get(), id.get(), static_cast<int>(spec.says), is_revoked ? spec.reason : 0,
                              is_revoked ? revoked_at.get() : nullptr, from.get(), until.get()));
  if (spec.has_nonce) must(OCSP_basic_add1_nonce(basic.get(), nullptr, 16));
  must(OCSP_basic_sign(basic.get(), signer_certificate.get(), key.get(),
                       spec.signs_with_sha1 ? EVP_sha1() : EVP_sha256(), nullptr,
                       spec.signer == nullptr || !spec.brings_signer ? OCSP_NOCERTS : 0));
  const OcspPtr response(must(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get())));
  unsigned char* der = nullptr;
  const int size = must(i2d_OCSP_RESPONSE(response.get(), &der));
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

// A responder's refusal: no signature, no answer.
inline std::string make_ocsp_error(int status) {
  const detail::OcspPtr response(detail::must(OCSP_response_create(status, nullptr)));
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &der);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

struct CrlSpec {
  std::vector<const MadeCertificate*> lists{};
  WallTime this_update = day(2026, 11, 24);
  std::optional<WallTime> next_update = day(2026, 11, 25);
  WallTime revoked_at = day(2026, 11, 20);
  const MadeCertificate* signer = nullptr;  // whose key signs; null: the issuer's
  std::string scope{};                      // issuingDistributionPoint in OpenSSL's words, with a section "part"
  std::string part_url{};                   // fullName of that section
  bool is_delta = false;
  bool signs_with_sha1 = false;
  std::size_t more = 0;  // entries of nobody, before the others
};

// DER.
inline std::string make_crl(const MadeCertificate& issuer, const CrlSpec& spec = {}) {
  using namespace detail;
  const X509Ptr issuer_certificate = read_certificate(issuer.der);
  const KeyPtr key = read_key(spec.signer != nullptr ? spec.signer->key_pem : issuer.key_pem);
  const CrlPtr crl(must(X509_CRL_new()));
  must(X509_CRL_set_version(crl.get(), 1));
  must(X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer_certificate.get())));
  const TimePtr from(must(ASN1_TIME_set(nullptr, spec.this_update.time_since_epoch().count())));
  must(X509_CRL_set1_lastUpdate(crl.get(), from.get()));
  if (spec.next_update) {
    const TimePtr until(must(ASN1_TIME_set(nullptr, spec.next_update->time_since_epoch().count())));
    must(X509_CRL_set1_nextUpdate(crl.get(), until.get()));
  }
  const TimePtr revoked_at(must(ASN1_TIME_set(nullptr, spec.revoked_at.time_since_epoch().count())));
  const auto add_entry = [&](const ASN1_INTEGER* serial, bool with_reason) {
    X509_REVOKED* const entry = must(X509_REVOKED_new());
    must(X509_REVOKED_set_serialNumber(entry, const_cast<ASN1_INTEGER*>(serial)));
    must(X509_REVOKED_set_revocationDate(entry, revoked_at.get()));
    if (with_reason) {
      ASN1_ENUMERATED* const reason = must(ASN1_ENUMERATED_new());
      must(ASN1_ENUMERATED_set(reason, OCSP_REVOKED_STATUS_KEYCOMPROMISE));
      must(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, reason, 0, 0));
      ASN1_ENUMERATED_free(reason);
    }
    must(X509_CRL_add0_revoked(crl.get(), entry));
  };
  for (std::size_t i = 0; i < spec.more; ++i) {
    ASN1_INTEGER* const serial = must(ASN1_INTEGER_new());
    must(ASN1_INTEGER_set_uint64(serial, 0x7000000000000000ull + i));
    add_entry(serial, false);
    ASN1_INTEGER_free(serial);
  }
  for (const MadeCertificate* listed : spec.lists)
    add_entry(X509_get0_serialNumber(read_certificate(listed->der).get()), true);
  const auto add_extension = [&](int nid, const std::string& value, CONF* sections) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer_certificate.get(), nullptr, nullptr, crl.get(), 0);
    X509V3_set_nconf(&context, sections);
    X509_EXTENSION* const extension = must(X509V3_EXT_nconf_nid(sections, &context, nid, value.c_str()));
    must(X509_CRL_add_ext(crl.get(), extension, -1));
    X509_EXTENSION_free(extension);
  };
  const std::string sections = "[part]\nfullname=URI:" + spec.part_url + "\n" + spec.scope + "\n";
  const std::string scope_only = "[part]\n" + spec.scope + "\n";
  if (!spec.scope.empty() || !spec.part_url.empty()) {
    const BioPtr text(must(BIO_new_mem_buf((spec.part_url.empty() ? scope_only : sections).c_str(), -1)));
    CONF* const conf = must(NCONF_new(nullptr));
    must(NCONF_load_bio(conf, text.get(), nullptr));
    add_extension(NID_issuing_distribution_point, "critical,@part", conf);
    NCONF_free(conf);
  }
  if (spec.is_delta) {
    ASN1_INTEGER* const base = must(ASN1_INTEGER_new());
    must(ASN1_INTEGER_set(base, 1));
    must(X509_CRL_add1_ext_i2d(crl.get(), NID_delta_crl, base, 1, 0));
    ASN1_INTEGER_free(base);
  }
  must(X509_CRL_sign(crl.get(), key.get(), spec.signs_with_sha1 ? EVP_sha1() : EVP_sha256()));
  unsigned char* der = nullptr;
  const int size = must(i2d_X509_CRL(crl.get(), &der));
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

inline std::string pem_of_crl(const std::string& der) {
  using namespace detail;
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const CrlPtr crl(must(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size()))));
  const BioPtr pem(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_X509_CRL(pem.get(), crl.get()));
  return take(pem.get());
}

}  // namespace ligase::test
