// The crypto library's objects behind Chain and TrustAnchors, and path building over them. For the .cpp files of this
// folder only; the library's types are named, its headers stay out.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "proof/certificate.hpp"

struct asn1_string_st;
struct X509_algor_st;
struct x509_st;
struct x509_store_st;

namespace ligase::proof {

struct FreeCertificate {
  void operator()(x509_st* certificate) const noexcept;
};
using CertificatePtr = std::unique_ptr<x509_st, FreeCertificate>;
struct FreeStore {
  void operator()(x509_store_st* store) const noexcept;
};
using StorePtr = std::unique_ptr<x509_store_st, FreeStore>;

struct Chain::Native {
  std::vector<Bytes> der;
  std::vector<CertificatePtr> certificates;  // leaf first, same order as `der`
  std::vector<PresentedId> names;
  WallTime not_before{}, not_after{};
  bool must_staple = false;
};

struct TrustAnchors::Native {
  StorePtr store;
  std::size_t size = 0;
};

// nullptr if `der` is not exactly one certificate.
CertificatePtr read_certificate(BytesView der);
// Of an ASN1_TIME; nullopt where it cannot be read, or is null.
std::optional<WallTime> read_time(const asn1_string_st* time);
// A public key whose use would only cost us time (AB-063).
bool is_costly(x509_st& certificate);
// A signature algorithm whose digest can be forged (SHA-1 and less), or is not known.
bool is_weak(const X509_algor_st& algorithm);
// The SubjectPublicKeyInfo in DER; empty: it has none that can be written.
Bytes public_key_of(const x509_st& certificate);
// One line for people, escaped and cut.
std::string subject_of(const x509_st& certificate);
// WallTime::min() where the date cannot be read: such a certificate is long over.
WallTime not_after_of(const x509_st& certificate);
WallTime not_before_of(const x509_st& certificate);  // WallTime::max() where it cannot be read

struct Path {
  std::vector<CertificatePtr> certificates;  // leaf first, anchor last
  WallTime begins, expires;                  // the latest notBefore and the earliest notAfter
  bool may_serve = false;                    // its extended key usages leave a TLS server's role
};
// RFC 5280 §6 from the chain's leaf to an anchor of `store`, the chain's other certificates helping; then the rules the
// library does not know (PKIX-02, PKIX-03).
Result<Path> find_path(const Chain& chain, const TrustAnchors::Native& anchors, WallTime now);
// The same to this one certificate, which may be an intermediate or the leaf itself (DANE-TA).
Result<Path> find_path_to(const Chain& chain, x509_st& anchor, WallTime now);
// May an entity of this role show a chain with this path (PKIX-03, D-05)?
Result<void> check_role(const Path& path, Role shown_by);

}  // namespace ligase::proof
