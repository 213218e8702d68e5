// A chain against TLSA records (RFC 6698 §2.1, RFC 7671 §5). Usage 3 is a digest and nothing else; each other usage adds
// a path, and a name that the caller has looked for. What matches and does not hold is told apart from what never matched.
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <bitset>

#include "proof/native.hpp"

namespace ligase::proof {
namespace {

constexpr std::size_t kMostShown = 16;   // more than Chain allows
constexpr int kLeastSecurityBits = 112;  // as security level 2 asks
constexpr int kLargestBareKey = 8192;

struct Freed {
  void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed>;

Bytes selected(X509& certificate, TlsaSelector selector) {
  switch (selector) {
    case TlsaSelector::cert:
      break;
    case TlsaSelector::spki:
      return public_key_of(certificate);
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  if (size <= 0) return {};
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

bool matches(const TlsaRecord& record, X509& certificate) {
  const Bytes whole = selected(certificate, record.selector);
  if (whole.empty() || record.data.empty()) return false;
  Bytes digest;
  switch (record.matching) {
    case TlsaMatching::full:
      return record.data == whole;
    case TlsaMatching::sha256:
      digest.resize(SHA256_DIGEST_LENGTH);
      SHA256(whole.data(), whole.size(), digest.data());
      return record.data == digest;
    case TlsaMatching::sha512:
      digest.resize(SHA512_DIGEST_LENGTH);
      SHA512(whole.data(), whole.size(), digest.data());
      return record.data == digest;
  }
  return false;
}

// One judgement's work: paths are asked for once, whatever the number of records.
class Matcher {
 public:
  Matcher(const Chain& chain, const TrustAnchors& anchors, Role shown_by, bool names_ok, WallTime now)
      : chain_(chain), anchors_(anchors), shown_by_(shown_by), names_ok_(names_ok), now_(now) {}

  std::optional<DaneMatch> try_record(const TlsaRecord& record) {
    switch (record.usage) {
      case TlsaUsage::dane_ee:
        return matches(record, shown(0)) ? std::optional(DaneMatch{record, WallTime::max()}) : std::nullopt;
      case TlsaUsage::dane_ta:
        return try_anchor(record);
      case TlsaUsage::pkix_ta:
      case TlsaUsage::pkix_ee:
        return try_trusted(record);
    }
    return std::nullopt;
  }

  Error failure(const TlsaSet& tlsa) const {
    if (failure_) return *failure_;
    const std::string where = escaped(tlsa.owner), shown = chain_.fingerprint().substr(0, 16);
    if (tlsa.usable.size() == 1)
      return Error{Reason::dane_mismatch,
                   fmt::format("the TLSA record at {} does not match certificate {}…", where, shown)};
    return Error{Reason::dane_mismatch, fmt::format("none of {} usable TLSA records at {} matches certificate {}…",
                                                    tlsa.usable.size(), where, shown)};
  }

 private:
  X509& shown(std::size_t i) const { return *chain_.native().certificates[i]; }

  std::optional<DaneMatch> try_anchor(const TlsaRecord& record) {
    for (std::size_t i = 1; i < chain_.size(); ++i) {
      if (!matches(record, shown(i))) continue;
      if (!is_tried_[i]) {
        is_tried_[i] = true;
        paths_[i] = find_path_to(chain_, shown(i), now_);
      }
      if (auto match = accept(record, *paths_[i])) return match;
    }
    if (record.matching != TlsaMatching::full) return std::nullopt;
    switch (record.selector) {
      case TlsaSelector::cert:
        return try_whole_anchor(record);
      case TlsaSelector::spki:
        return try_bare_key(record);
    }
    return std::nullopt;
  }

  // "2 0 0": the anchor need not be shown (RFC 7671 §5.2.2).
  std::optional<DaneMatch> try_whole_anchor(const TlsaRecord& record) {
    const CertificatePtr anchor = read_certificate(record.data);
    if (!anchor) return std::nullopt;
    const Result<Path> path = find_path_to(chain_, *anchor, now_);
    // Of an anchor that is not in sight, only success says that the record was meant for this chain.
    if (!path && path.error().reason == Reason::pkix_chain) return std::nullopt;
    return accept(record, path);
  }

  // "2 1 0": the key that signed the topmost certificate shown (RFC 7671 §5.2.3).
  std::optional<DaneMatch> try_bare_key(const TlsaRecord& record) {
    const unsigned char* at = record.data.data();
    const KeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(record.data.size())));
    ERR_clear_error();
    if (!key || EVP_PKEY_get_security_bits(key.get()) < kLeastSecurityBits ||
        EVP_PKEY_get_bits(key.get()) > kLargestBareKey)
      return std::nullopt;
    X509& top = shown(topmost());
    int security_bits = 0;
    if (X509_get_signature_info(&top, nullptr, nullptr, &security_bits, nullptr) != 1 ||
        security_bits < kLeastSecurityBits)
      return std::nullopt;
    const bool is_signer = X509_verify(&top, key.get()) == 1;
    ERR_clear_error();
    if (!is_signer) return std::nullopt;
    return accept(record, find_path_to(chain_, top, now_));
  }

  // Where the shown certificates lead, issuer by issuer, from the leaf.
  std::size_t topmost() const {
    std::bitset<kMostShown> seen;
    std::size_t at = 0;
    for (bool is_moving = true; is_moving;) {
      seen[at] = true;
      is_moving = false;
      for (std::size_t i = 1; i < chain_.size() && !is_moving; ++i) {
        if (seen[i] || X509_check_issued(&shown(i), &shown(at)) != X509_V_OK) continue;
        at = i;
        is_moving = true;
      }
    }
    return at;
  }

  std::optional<DaneMatch> try_trusted(const TlsaRecord& record) {
    if (!trusted_) trusted_ = find_path(chain_, anchors_.native(), now_);
    const bool is_for_leaf = record.usage == TlsaUsage::pkix_ee;
    bool is_match = false;
    if (is_for_leaf) {
      is_match = matches(record, shown(0));
    } else if (*trusted_) {
      // The path, not what was shown: the root is often left out.
      const std::vector<CertificatePtr>& path = (*trusted_)->certificates;
      for (std::size_t i = 1; i < path.size() && !is_match; ++i) is_match = matches(record, *path[i]);
    } else {
      for (std::size_t i = 1; i < chain_.size() && !is_match; ++i) is_match = matches(record, shown(i));
    }
    return is_match ? accept(record, *trusted_) : std::nullopt;
  }

  // The record matches; does what it demands hold? Keeps the failure that came furthest.
  std::optional<DaneMatch> accept(const TlsaRecord& record, const Result<Path>& path) {
    const Result<void> holds = path ? check_role(*path, shown_by_) : fail(path.error());
    if (holds && names_ok_) return DaneMatch{record, path->expires};
    if (holds) {
      failure_ = Error{Reason::dane_name,
                       fmt::format("TLSA {} matches, but the certificate has no name that it demands", record.text())};
    } else if (!failure_ || failure_->reason != Reason::dane_name) {
      failure_ = Error{Reason::dane_chain, fmt::format("TLSA {} matches, but the chain is not valid: {}", record.text(),
                                                       holds.error().detail)};
    }
    return std::nullopt;
  }

  const Chain& chain_;
  const TrustAnchors& anchors_;
  const Role shown_by_;
  const bool names_ok_;
  const WallTime now_;
  std::bitset<kMostShown> is_tried_;
  std::array<std::optional<Result<Path>>, kMostShown> paths_;  // to the i-th certificate shown
  std::optional<Result<Path>> trusted_;
  std::optional<Error> failure_;
};

}  // namespace

Result<DaneMatch> match_dane(const Chain& chain, const TlsaSet& tlsa, const TrustAnchors& anchors, Role shown_by,
                             bool names_ok, WallTime now) {
  if (tlsa.security != Security::secure)
    return fail(Reason::dns_tlsa_bogus,
                fmt::format("the TLSA answer at {} is {}", escaped(tlsa.owner), name_of(tlsa.security)));
  Matcher matcher(chain, anchors, shown_by, names_ok, now);
  // What costs nothing first.
  for (const bool is_ee : {true, false})
    for (const TlsaRecord& record : tlsa.usable)
      if ((record.usage == TlsaUsage::dane_ee) == is_ee)
        if (std::optional<DaneMatch> match = matcher.try_record(record)) return *std::move(match);
  return fail(matcher.failure(tlsa));
}

}  // namespace ligase::proof
