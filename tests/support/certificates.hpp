// Certificates made on the spot for tests: authorities, intermediates and leaves with any subjectAltName, dates, usages
// and constraints, well-formed or deliberately not. Header-only, so that every test target can include it. Keys are
// P-256 unless a test asks for a weak one. Never for anything but tests: nothing here is checked.
#pragma once
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace ligase::test {

inline WallTime day(int year, unsigned month, unsigned day_of_month) {
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day_of_month));
}

struct MadeCertificate {
  Bytes der;
  std::string pem, key_pem;
  Bytes spki;  // SubjectPublicKeyInfo, what TLSA selector 1 is taken over
};

enum class MadeKey { p256, rsa2048, rsa1024 };

struct CertificateSpec {
  std::string common_name = "test";
  std::string organization;            // empty: none
  std::vector<std::string> dns;        // dNSName, bytes as given
  std::vector<std::string> srv;        // SRVName, for example "_xmpp-server.sender1.tld"
  std::vector<std::string> xmpp_addr;  // XmppAddr as UTF8String
  std::vector<std::string> ip;         // iPAddress, as text
  std::vector<std::string> uri, email;
  std::vector<Bytes> raw_names;  // whole GeneralNames in DER, for what no helper would make
  WallTime not_before = day(2026, 1, 1), not_after = day(2046, 1, 1);
  std::vector<std::string> eku;  // "serverAuth", "clientAuth", "codeSigning", "anyExtendedKeyUsage"; empty: absent
  std::string key_usage;         // OpenSSL's words; empty: absent, or "keyCertSign,cRLSign" for an authority
  bool is_ca = false;
  bool says_basic_constraints = true;
  std::optional<int> path_length;
  std::vector<std::string> name_constraints;  // OpenSSL's words: "permitted;DNS:good.tld", "excluded;DNS:bad.tld"
  std::optional<std::string> srv_constraint;  // a permitted subtree of the SRVName form
  MadeKey key = MadeKey::p256;
  Bytes public_key;               // a SubjectPublicKeyInfo to carry instead of the key's own; empty: its own
  bool signs_with_sha1 = false;   // the signature *on* this certificate
  long serial = 0;                // 0: drawn
  std::vector<std::string> ocsp;  // URLs of responders
  std::vector<std::string> crl;   // URLs of distribution points
  bool must_staple = false;       // RFC 7633
};

namespace detail {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

template <class T>
T must(T value) {
  if (!value) throw std::runtime_error("test certificate: OpenSSL refused");
  return value;
}

inline std::string take(BIO* bio) {
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

inline KeyPtr new_key(MadeKey kind) {
  switch (kind) {
    case MadeKey::p256:
      return KeyPtr(must(EVP_EC_gen("P-256")));
    case MadeKey::rsa2048:
      return KeyPtr(must(EVP_RSA_gen(2048)));
    case MadeKey::rsa1024:
      return KeyPtr(must(EVP_RSA_gen(1024)));
  }
  throw std::logic_error("MadeKey");
}

inline KeyPtr read_key(const std::string& pem) {
  BioPtr bio(must(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))));
  return KeyPtr(must(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)));
}
inline X509Ptr read_certificate(const Bytes& der) {
  const unsigned char* at = der.data();
  return X509Ptr(must(d2i_X509(nullptr, &at, static_cast<long>(der.size()))));
}

inline GENERAL_NAME* string_name(int type, std::string_view text) {
  GENERAL_NAME* name = must(GENERAL_NAME_new());
  ASN1_IA5STRING* value = must(ASN1_IA5STRING_new());
  must(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())));
  GENERAL_NAME_set0_value(name, type, value);
  return name;
}

// `string_type`: V_ASN1_IA5STRING, V_ASN1_UTF8STRING, or a wrong one.
inline GENERAL_NAME* other_name(const char* oid, int string_type, std::string_view text) {
  GENERAL_NAME* name = must(GENERAL_NAME_new());
  ASN1_STRING* value = must(ASN1_STRING_type_new(string_type));
  must(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())));
  ASN1_TYPE* any = must(ASN1_TYPE_new());
  ASN1_TYPE_set(any, string_type, value);
  must(GENERAL_NAME_set0_othername(name, must(OBJ_txt2obj(oid, 1)), any));
  return name;
}

inline void add(X509* certificate, X509V3_CTX* context, int nid, const std::string& value) {
  X509_EXTENSION* extension = must(X509V3_EXT_conf_nid(nullptr, context, nid, value.c_str()));
  must(X509_add_ext(certificate, extension, -1));
  X509_EXTENSION_free(extension);
}

inline std::string joined(const std::vector<std::string>& words, const std::string& between = ",") {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

}  // namespace detail

constexpr const char* kSrvNameOid = "1.3.6.1.5.5.7.8.7";
constexpr const char* kXmppAddrOid = "1.3.6.1.5.5.7.8.5";

// An otherName as a whole GeneralName in DER, for CertificateSpec::raw_names.
inline Bytes raw_other_name(const char* oid, int string_type, std::string_view text) {
  GENERAL_NAME* name = detail::other_name(oid, string_type, text);
  unsigned char* der = nullptr;
  const int size = i2d_GENERAL_NAME(name, &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  GENERAL_NAME_free(name);
  return out;
}

// Signed by `issuer`, or by itself when that is null. `key_of`: uses that certificate's key instead of a new one.
inline MadeCertificate make_certificate(const CertificateSpec& spec, const MadeCertificate* issuer = nullptr,
                                        const MadeCertificate* key_of = nullptr) {
  using namespace detail;
  static long serials = 1000;
  const KeyPtr key = key_of != nullptr ? read_key(key_of->key_pem) : new_key(spec.key);
  const KeyPtr issuer_key = issuer != nullptr ? read_key(issuer->key_pem) : nullptr;
  const X509Ptr issuer_certificate = issuer != nullptr ? read_certificate(issuer->der) : nullptr;
  const X509Ptr certificate(must(X509_new()));
  X509* const x = certificate.get();

  must(X509_set_version(x, 2));
  must(ASN1_INTEGER_set(X509_get_serialNumber(x), spec.serial != 0 ? spec.serial : ++serials));
  must(ASN1_TIME_set(X509_getm_notBefore(x), spec.not_before.time_since_epoch().count()));
  must(ASN1_TIME_set(X509_getm_notAfter(x), spec.not_after.time_since_epoch().count()));
  if (spec.public_key.empty()) {
    must(X509_set_pubkey(x, key.get()));
  } else {
    const unsigned char* at = spec.public_key.data();
    const KeyPtr carried(must(d2i_PUBKEY(nullptr, &at, static_cast<long>(spec.public_key.size()))));
    must(X509_set_pubkey(x, carried.get()));
  }
  if (!spec.organization.empty())
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "O", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(spec.organization.data()),
                                    static_cast<int>(spec.organization.size()), -1, 0));
  must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(spec.common_name.data()),
                                  static_cast<int>(spec.common_name.size()), -1, 0));
  X509* const signer = issuer_certificate ? issuer_certificate.get() : x;
  must(X509_set_issuer_name(x, X509_get_subject_name(signer)));

  X509V3_CTX context;
  X509V3_set_ctx(&context, signer, x, nullptr, nullptr, 0);
  if (spec.says_basic_constraints) {
    std::string basic = spec.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE";
    if (spec.path_length) basic += ",pathlen:" + std::to_string(*spec.path_length);
    add(x, &context, NID_basic_constraints, basic);
  }
  const std::string usage = !spec.key_usage.empty() ? spec.key_usage : spec.is_ca ? "keyCertSign,cRLSign" : "";
  if (!usage.empty()) add(x, &context, NID_key_usage, "critical," + usage);
  add(x, &context, NID_subject_key_identifier, "hash");
  if (!spec.eku.empty()) add(x, &context, NID_ext_key_usage, joined(spec.eku));
  if (!spec.ocsp.empty()) add(x, &context, NID_info_access, "OCSP;URI:" + joined(spec.ocsp, ",OCSP;URI:"));
  if (!spec.crl.empty()) add(x, &context, NID_crl_distribution_points, "URI:" + joined(spec.crl, ",URI:"));
  if (spec.must_staple) add(x, &context, NID_tlsfeature, "status_request");

  if (!spec.name_constraints.empty() || spec.srv_constraint) {
    NAME_CONSTRAINTS* constraints = nullptr;
    if (spec.name_constraints.empty()) {
      constraints = must(NAME_CONSTRAINTS_new());
    } else {
      X509_EXTENSION* made =
          must(X509V3_EXT_conf_nid(nullptr, &context, NID_name_constraints, joined(spec.name_constraints).c_str()));
      constraints = must(static_cast<NAME_CONSTRAINTS*>(X509V3_EXT_d2i(made)));
      X509_EXTENSION_free(made);
    }
    if (spec.srv_constraint) {
      GENERAL_SUBTREE* subtree = must(GENERAL_SUBTREE_new());
      GENERAL_NAME_free(subtree->base);
      subtree->base = other_name(kSrvNameOid, V_ASN1_IA5STRING, *spec.srv_constraint);
      if (constraints->permittedSubtrees == nullptr)
        constraints->permittedSubtrees = must(sk_GENERAL_SUBTREE_new_null());
      sk_GENERAL_SUBTREE_push(constraints->permittedSubtrees, subtree);
    }
    must(X509_add1_ext_i2d(x, NID_name_constraints, constraints, 1, 0));
    NAME_CONSTRAINTS_free(constraints);
  }

  GENERAL_NAMES* names = must(sk_GENERAL_NAME_new_null());
  for (const auto& name : spec.dns) sk_GENERAL_NAME_push(names, string_name(GEN_DNS, name));
  for (const auto& name : spec.uri) sk_GENERAL_NAME_push(names, string_name(GEN_URI, name));
  for (const auto& name : spec.email) sk_GENERAL_NAME_push(names, string_name(GEN_EMAIL, name));
  for (const auto& name : spec.srv) sk_GENERAL_NAME_push(names, other_name(kSrvNameOid, V_ASN1_IA5STRING, name));
  for (const auto& name : spec.xmpp_addr)
    sk_GENERAL_NAME_push(names, other_name(kXmppAddrOid, V_ASN1_UTF8STRING, name));
  for (const auto& address : spec.ip) {
    GENERAL_NAME* name = must(GENERAL_NAME_new());
    GENERAL_NAME_set0_value(name, GEN_IPADD, must(a2i_IPADDRESS(address.c_str())));
    sk_GENERAL_NAME_push(names, name);
  }
  for (const auto& raw : spec.raw_names) {
    const unsigned char* at = raw.data();
    sk_GENERAL_NAME_push(names, must(d2i_GENERAL_NAME(nullptr, &at, static_cast<long>(raw.size()))));
  }
  if (sk_GENERAL_NAME_num(names) > 0) must(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0));
  sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);

  must(X509_sign(x, issuer_key ? issuer_key.get() : key.get(), spec.signs_with_sha1 ? EVP_sha1() : EVP_sha256()));

  MadeCertificate made;
  unsigned char* der = nullptr;
  const int size = must(i2d_X509(x, &der));
  made.der.assign(der, der + size);
  OPENSSL_free(der);
  der = nullptr;
  const int spki_size = must(i2d_PUBKEY(key.get(), &der));
  made.spki.assign(der, der + spki_size);
  OPENSSL_free(der);
  const BioPtr pem(must(BIO_new(BIO_s_mem()))), key_pem(must(BIO_new(BIO_s_mem())));
  must(PEM_write_bio_X509(pem.get(), x));
  must(PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr));
  made.pem = take(pem.get());
  made.key_pem = take(key_pem.get());
  return made;
}

// A self-signed root.
inline MadeCertificate make_root(const std::string& name = "test root") {
  CertificateSpec spec;
  spec.common_name = name;
  spec.is_ca = true;
  return make_certificate(spec);
}
inline MadeCertificate make_intermediate(const MadeCertificate& issuer, const std::string& name = "test intermediate") {
  CertificateSpec spec;
  spec.common_name = name;
  spec.is_ca = true;
  return make_certificate(spec, &issuer);
}
// A leaf with dNSNames, as a public authority would make it.
inline MadeCertificate make_leaf(const MadeCertificate& issuer, std::vector<std::string> dns_names) {
  CertificateSpec spec;
  spec.common_name = "leaf";
  spec.eku = {"serverAuth", "clientAuth"};
  spec.dns = std::move(dns_names);
  return make_certificate(spec, &issuer);
}
// Self-signed leaf: no authority vouches for it.
inline MadeCertificate make_self_signed(std::vector<std::string> dns_names) {
  CertificateSpec spec;
  spec.common_name = "self-signed";
  spec.dns = std::move(dns_names);
  return make_certificate(spec);
}

inline Bytes sha256(BytesView data) {
  Bytes digest(SHA256_DIGEST_LENGTH);
  ::SHA256(data.data(), data.size(), digest.data());
  return digest;
}
inline Bytes sha512(BytesView data) {
  Bytes digest(SHA512_DIGEST_LENGTH);
  ::SHA512(data.data(), data.size(), digest.data());
  return digest;
}

// TLSA rdata (RFC 6698 §2.1) that matches `certificate`.
inline Bytes tlsa_rdata(int usage, int selector, int matching, const MadeCertificate& certificate) {
  const Bytes& whole = selector == 0 ? certificate.der : certificate.spki;
  const Bytes data = matching == 0 ? whole : matching == 1 ? sha256(whole) : sha512(whole);
  Bytes rdata{static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector),
              static_cast<std::uint8_t>(matching)};
  rdata.insert(rdata.end(), data.begin(), data.end());
  return rdata;
}

}  // namespace ligase::test
