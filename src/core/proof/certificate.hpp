// Certificates as evidence: parsed once from DER, read for the names that XMPP knows (RFC 6120 §13.7.1.2), and checked
// against trust anchors at a time that is told. Names come from subjectAltName only, never from CN (AB-058).
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "name/domain.hpp"
#include "name/pair.hpp"
#include "proof/dns.hpp"

namespace ligase::proof {

enum class NameForm : std::uint8_t { dns, srv, xmpp_addr };
struct PresentedId {  // RFC 6125 §1.8: what the certificate says
  NameForm form;
  bool is_wildcard = false;  // dNSName "*.x.tld": `name` is then x.tld
  std::string name;          // canonical domain text
  bool operator==(const PresentedId&) const = default;
};

// A parsed chain as shown on one TLS session: leaf first. Immutable, shared between whoever judges it.
class Chain {
 public:
  struct Native;  // the crypto library's objects

  // At most 10 certificates and 64 KiB (AB-049). Reason::certificate_none for an empty list, pkix_chain for bad DER.
  static Result<std::shared_ptr<const Chain>> parse(const std::vector<Bytes>& der);
  // From a PEM file's text, leaf first.
  static Result<std::shared_ptr<const Chain>> parse_pem(std::string_view pem);
  ~Chain();

  std::size_t size() const noexcept;
  const Bytes& der(std::size_t i) const noexcept;
  std::string fingerprint() const;                         // leaf, SHA-256 over DER, lower-case hex
  std::string key_fingerprint() const;                     // leaf's SubjectPublicKeyInfo, the same way
  std::string chain_fingerprint() const;                   // SHA-256 over all, for caches
  const std::vector<PresentedId>& names() const noexcept;  // of the leaf; malformed names left out (AB-057, AB-060)
  WallTime not_before() const noexcept;                    // leaf
  WallTime not_after() const noexcept;                     // leaf
  bool must_staple() const noexcept;  // leaf: good only with a proof that it is not revoked (RFC 7633)
  std::string subject() const;        // one line for people, escaped
  // Who issued the leaf: its issuer's organizationName, which a CA keeps when it changes its intermediates, else the whole
  // name; escaped. Means something only for a chain that leads to an anchor.
  std::string issuer() const;
  // True if the leaf names `domain`: dNSName with RFC 9525's wildcard rule, SRVName _xmpp-server.domain, XmppAddr.
  bool names_domain(const Domain& domain) const noexcept;
  bool names_host(const HostName& host) const noexcept;  // dNSName only

  const Native& native() const noexcept { return *native_; }

 private:
  Chain();
  std::unique_ptr<Native> native_;
};

class TrustAnchors {
 public:
  struct Native;
  static Result<std::shared_ptr<const TrustAnchors>> parse_pem(std::string_view pem);  // all certificates in it
  ~TrustAnchors();
  const Native& native() const noexcept { return *native_; }
  std::size_t size() const noexcept;

 private:
  TrustAnchors();
  std::unique_ptr<Native> native_;
};

// Is the chain valid to a trust anchor at `now` (RFC 5280 §6; PKIX-02, PKIX-03; depth <= 8)? On success: the earliest
// notAfter of the path. Errors: pkix_chain, pkix_expired, pkix_purpose, pkix_constraints, each with particulars.
// `shown_by`: an initiating entity may show what is for either TLS role (D-05), a receiving one only what may be a server's
// (PKIX-03): clientAuth alone identifies people and devices.
Result<WallTime> verify_path(const Chain& chain, const TrustAnchors& anchors, Role shown_by, WallTime now);

// DANE (RFC 6698 §2.1, RFC 7671 §5). The first usable record that matches, and what it demands beyond the match.
struct DaneMatch {
  TlsaRecord record;
  WallTime expires;  // of the path used; WallTime::max() for DANE-EE
};
// `names_ok`: the leaf names a reference identifier (D or T), already decided by the caller; DANE-EE does not ask.
// Errors: dane_mismatch (none matches), dane_chain, dane_name.
Result<DaneMatch> match_dane(const Chain& chain, const TlsaSet& tlsa, const TrustAnchors& anchors, Role shown_by,
                             bool names_ok, WallTime now);

}  // namespace ligase::proof
